// The requests of a front end for the seven sub-tabs, sent from another origin with the generated
// client. tests/browser/other_origin.mjs calls `walk` and `peek`.
import { Checks } from "./checks.js";
import { clientOf, header, refused, succeeded, type Schemas } from "./client.js";

const ONE = "/api/v1/customer-integrations/{business_partner_id}";
const AREA = `${ONE}/areas/{area_id}` as const;
const TICKET_TYPE = `${ONE}/ticket-types/{ticket_type_id}` as const;
const ACCESSES = `${ONE}/accesses` as const;
const ACCESS = `${ACCESSES}/{access_id}` as const;
const TAG = `${ONE}/tags/{tag_id}` as const;
const QUERY = `${ONE}/queries/{query_id}` as const;
const RULE = `${ONE}/exclusion-rules/{rule_id}` as const;
const PLAN_BOARD = `${ONE}/plan-boards/{plan_board_id}` as const;
const ROOT = "/api/v1/customer-integrations/K-1002";
const partner = { business_partner_id: "K-1002" };
const closed: Schemas["TicketFilter"] = { type: "condition", field: "status", operator: "in", values: ["closed"] };

type Tools = { client: ReturnType<typeof clientOf>; checks: Checks };

/** Shows the step on the page, for the screenshot. */
function show(line: string): void {
  const item = document.createElement("li");
  item.textContent = line;
  document.getElementById("steps")?.append(item);
}

async function integration({ client, checks }: Tools): Promise<void> {
  checks.step("Kundenintegration: German refusal, If-Match, 412, 304");
  const inactive = await client.PUT(AREA, { params: { path: { ...partner, area_id: "netz" } } });
  const problem = refused(inactive, 409);
  checks.equal("code", problem.code, "integration_inactive");
  checks.equal("German", problem.title, "Kundenintegration ist inaktiv");
  checks.equal("language", inactive.response.headers.get("Content-Language"), "de");
  checks.equal("request id", header(inactive, "X-Request-Id"), problem.request_id);
  const before = await client.GET(ONE, { params: { path: partner } });
  const etag = header(before, "ETag");
  const params = { path: partner, header: { "If-Match": etag } };
  const active = await client.PATCH(ONE, { params, body: { active: true } });
  checks.equal("active", succeeded(active, 200).active, true);
  const stale = await client.PATCH(ONE, { params, body: { active: false } });
  const failed = refused(stale, 412);
  checks.equal("code", failed.code, "precondition_failed");
  checks.equal("current version", failed.current?.version, succeeded(active, 200).version);
  const current = { path: partner, header: { "If-Match": header(stale, "ETag") } };
  succeeded(await client.PATCH(ONE, { params: current, body: { active: true } }), 200);
  const cached = { path: partner, header: { "If-None-Match": header(active, "ETag") } };
  const unchanged = await client.GET(ONE, { params: cached });
  checks.equal("unchanged", unchanged.response.status, 304);
}

async function areas({ client, checks }: Tools): Promise<void> {
  checks.step("Bereiche: grant, read Location and ETag");
  const path = { ...partner, area_id: "netz" };
  const granted = await client.PUT(AREA, { params: { path } });
  checks.equal("name", succeeded(granted, 201).name, "Netzwerk");
  checks.equal("Location", header(granted, "Location"), `${ROOT}/areas/netz`);
  const read = await client.GET(AREA, { params: { path } });
  checks.equal("ETag", header(read, "ETag"), header(granted, "ETag"));
}

async function ticketTypes({ client, checks }: Tools): Promise<void> {
  checks.step("Ticketarten: grant, change with If-Match");
  const path = { ...partner, ticket_type_id: "anomalie" };
  const granted = await client.PUT(TICKET_TYPE, { params: { path }, body: { approval_required: true } });
  checks.equal("approval", succeeded(granted, 201).approval_required, true);
  const params = { path, header: { "If-Match": header(granted, "ETag") } };
  const changed = await client.PUT(TICKET_TYPE, { params, body: { approval_required: false } });
  checks.equal("approval", succeeded(changed, 200).approval_required, false);
}

async function accesses({ client, checks }: Tools): Promise<void> {
  checks.step("Kundenzugänge: create, follow Location, change, 409");
  const body = { first_name: "Änne", last_name: "Schäfer", email: "aenne@sonnenschein.example", contact_id: "P-1" };
  const created = await client.POST(ACCESSES, { params: { path: partner }, body });
  const { id } = succeeded(created, 201);
  checks.equal("Location", header(created, "Location"), `${ROOT}/accesses/${id}`);
  const path = { ...partner, access_id: id };
  const params = { path, header: { "If-Match": header(created, "ETag") } };
  const cleared = succeeded(await client.PATCH(ACCESS, { params, body: { contact_id: null } }), 200);
  checks.equal("cleared and unchanged", [cleared.contact_id, cleared.first_name], [null, "Änne"]);
  const twice = refused(await client.POST(ACCESSES, { params: { path: partner }, body }), 409);
  checks.equal("code", twice.code, "duplicate_email");
  const list = succeeded(await client.GET(ACCESSES, { params: { path: partner, query: { q: "schafer" } } }), 200);
  checks.equal("list", list.items.map((access) => access.id), [id]);
}

async function tags({ client, checks }: Tools): Promise<void> {
  checks.step("Tags: create, the area is in use, delete");
  const body = { name: "VPN", area_id: "netz" };
  const created = await client.POST(`${ONE}/tags`, { params: { path: partner }, body });
  const tag = succeeded(created, 201);
  const area = await client.DELETE(AREA, { params: { path: { ...partner, area_id: "netz" } } });
  const inUse = refused(area, 409);
  checks.equal("code", inUse.code, "area_in_use");
  checks.equal("references", inUse.references, [{ kind: "tag", id: tag.id, name: "VPN" }]);
  const params = { path: { ...partner, tag_id: tag.id }, header: { "If-Match": header(created, "ETag") } };
  const renamed = await client.PATCH(TAG, { params, body: { description: "Fernzugriff" } });
  checks.equal("description", succeeded(renamed, 200).description, "Fernzugriff");
  checks.equal("stale", refused(await client.DELETE(TAG, { params }), 412).code, "precondition_failed");
  const current = { ...params, header: { "If-Match": header(renamed, "ETag") } };
  succeeded(await client.DELETE(TAG, { params: current }), 204);
  checks.equal("gone", refused(await client.GET(TAG, { params: { path: params.path } }), 404).code, "not_found");
}

async function queries({ client, checks }: Tools): Promise<void> {
  checks.step("Ticket Board Abfragen: create, summary in German, change, delete");
  const body: Schemas["TicketQueryCreate"] = { name: "Erledigt", filter: closed, columns: ["subject", "status"] };
  const created = await client.POST(`${ONE}/queries`, { params: { path: partner }, body });
  const query = succeeded(created, 201);
  checks.equal("summary", query.summary, "Status ist geschlossen.");
  const params = { path: { ...partner, query_id: query.id }, header: { "If-Match": header(created, "ETag") } };
  const changed = succeeded(await client.PATCH(QUERY, { params, body: { columns: ["subject"] } }), 200);
  checks.equal("columns", changed.columns, ["subject"]);
  succeeded(await client.DELETE(QUERY, { params: { path: params.path } }), 204);
}

async function exclusionRules({ client, checks }: Tools): Promise<void> {
  checks.step("Ausschlussregeln: invalid filter with pointer, create, deactivate");
  const path = partner;
  const wrong = { name: "Falsch", filter: { ...closed, values: ["shut"] } as Schemas["TicketFilter"] };
  const problem = refused(await client.POST(`${ONE}/exclusion-rules`, { params: { path }, body: wrong }), 422);
  checks.equal("pointer", problem.errors.map((error) => error.pointer), ["/filter/values/0"]);
  const body = { name: "Altfälle", filter: closed };
  const created = await client.POST(`${ONE}/exclusion-rules`, { params: { path }, body });
  const rule = succeeded(created, 201);
  checks.equal("Location", header(created, "Location"), `${ROOT}/exclusion-rules/${rule.id}`);
  const params = { path: { ...partner, rule_id: rule.id }, header: { "If-Match": header(created, "ETag") } };
  checks.equal("off", succeeded(await client.PATCH(RULE, { params, body: { active: false } }), 200).active, false);
}

async function planBoards({ client, checks }: Tools): Promise<void> {
  checks.step("Plan Boards: grant, list, revoke");
  const path = { ...partner, plan_board_id: "wartung" };
  const shared = await client.PUT(PLAN_BOARD, { params: { path } });
  checks.equal("name", succeeded(shared, 201).name, "Wartungsfenster");
  const list = succeeded(await client.GET(`${ONE}/plan-boards`, { params: { path: partner } }), 200);
  checks.equal("list", list.items.map((board) => board.plan_board_id), ["wartung"]);
  succeeded(await client.DELETE(PLAN_BOARD, { params: { path } }), 204);
}

/** Walks through the sub-tabs; returns the number of passed comparisons. */
async function walk(service: string, token: string): Promise<number> {
  const tools = { client: clientOf(service, token, "de"), checks: new Checks(show) };
  for (const tab of [integration, areas, ticketTypes, accesses, tags, queries, exclusionRules, planBoards]) {
    await tab(tools);
  }
  return tools.checks.passed;
}

/** Tries to fetch a URL; returns the readable part of the response, or the error. */
async function peek(url: string, init: RequestInit): Promise<string> {
  try {
    const response = await fetch(url, init);
    return `${response.type} ${response.status} ${await response.text()}`;
  } catch (error) {
    return String(error);
  }
}

Object.assign(window, { walk, peek });
