// The scenario of tests/generated_clients with the generated TypeScript client. scenario.py and
// Scenario.java do the same.
import { Checks } from "./checks.js";
import { clientOf, header, refused, succeeded, type Schemas } from "./client.js";

const { SERVICE, TOKEN } = process.env;
if (SERVICE === undefined || TOKEN === undefined) {
  throw new Error("SERVICE and TOKEN must be set");
}
const checks = new Checks((line) => console.log(`typescript: ${line}`));
const equal = checks.equal.bind(checks);
const client = clientOf(SERVICE, TOKEN);
const partner = { business_partner_id: "K-1002" };

const ONE = "/api/v1/customer-integrations/{business_partner_id}";
const AREA = `${ONE}/areas/{area_id}` as const;
const TICKET_TYPE = `${ONE}/ticket-types/{ticket_type_id}` as const;
const ACCESSES = `${ONE}/accesses` as const;
const ACCESS = `${ACCESSES}/{access_id}` as const;
const TAGS = `${ONE}/tags` as const;
const TAG = `${TAGS}/{tag_id}` as const;
const netz = { params: { path: { ...partner, area_id: "netz" } } };

async function activate(): Promise<void> {
  checks.step("activate; rejected before");
  const early = refused(await client.PUT(AREA, netz), 409);
  equal("code", early.code, "integration_inactive");
  equal("instance", early.instance, "/api/v1/customer-integrations/K-1002/areas/netz");
  const active = succeeded(await client.PATCH(ONE, { params: { path: partner }, body: { active: true } }), 200);
  equal("active", active.active, true);
  equal("name", active.business_partner.name, "Bäckerei Sonnenschein e. K.");
  const blockers = active.readiness.blockers.map((finding) => finding.code);
  equal("blockers", blockers, ["no_area", "no_ticket_type", "no_active_access"]);
}

async function grant(): Promise<void> {
  checks.step("grant an area and a ticket type");
  const area = succeeded(await client.PUT(AREA, netz), 201);
  equal("area", [area.area_id, area.name, area.available], ["netz", "Netzwerk", true]);
  equal("start ticket types", area.start_ticket_types, ["anomalie", "rueckruf"]);
  equal("version", succeeded(await client.PUT(AREA, netz), 200).version, 1);
  const only = { ...netz.params, header: { "If-None-Match": "*" } };
  equal("code", refused(await client.PUT(AREA, { params: only }), 412).code, "precondition_failed");
  const path = { ...partner, ticket_type_id: "anomalie" };
  const granted = await client.PUT(TICKET_TYPE, { params: { path }, body: { approval_required: true } });
  const ticketType = succeeded(granted, 201);
  equal("ticket type", [ticketType.name, ticketType.approval_required], ["Anomalie", true]);
  equal("kind", ticketType.kind, "standard");
}

async function createAccess() {
  checks.step("create an access");
  const body: Schemas["AccessCreate"] = {
    first_name: "Änne",
    last_name: "Schäfer",
    email: "Aenne.Schaefer@sonnenschein.example",
    contact_id: "P-1",
    role: "editor",
  };
  const response = await client.POST(ACCESSES, { params: { path: partner }, body });
  const access = succeeded(response, 201);
  equal("Location", header(response, "Location"), `/api/v1/customer-integrations/K-1002/accesses/${access.id}`);
  equal("email", access.email, "aenne.schaefer@sonnenschein.example");
  equal("first name", access.first_name, "Änne");
  equal("contact", access.contact_id, "P-1");
  equal("defaults", [access.language, access.ticket_visibility, access.approver], ["de", "own", false]);
  equal("effective", [access.effective, access.ineffective_reasons], [true, []]);
  return { id: access.id, etag: header(response, "ETag") };
}

async function patchAccess(id: string, etag: string): Promise<void> {
  checks.step("patch with If-Match: absent members stay, null clears");
  const path = { ...partner, access_id: id };
  const patch = (ifMatch: string, body: Schemas["AccessPatch"]) =>
    client.PATCH(ACCESS, { params: { path, header: { "If-Match": ifMatch } }, body });
  const first = await patch(etag, { ticket_visibility: "partner" });
  const changed = succeeded(first, 200);
  equal("changed", [changed.ticket_visibility, changed.version], ["partner", 2]);
  equal("absent members stay", [changed.contact_id, changed.role], ["P-1", "editor"]);
  const second = await patch(header(first, "ETag"), { contact_id: null });
  const cleared = succeeded(second, 200);
  equal("null clears", [cleared.contact_id, cleared.version], [null, 3]);
  equal("the rest stays", [cleared.ticket_visibility, cleared.role], ["partner", "editor"]);

  checks.step("412 with an old ETag");
  const stale = await patch(etag, { role: "dispatcher" });
  const precondition = refused(stale, 412);
  equal("code", precondition.code, "precondition_failed");
  equal("current version", precondition.current?.version, 3);
  const retried = succeeded(await patch(header(stale, "ETag"), { role: "editor" }), 200);
  equal("current ETag", retried.version, 3);
  const unchanged = succeeded(await client.GET(ACCESS, { params: { path } }), 200);
  equal("nothing was written", [unchanged.role, unchanged.version, unchanged.contact_id], ["editor", 3, null]);
}

async function conflicts(): Promise<void> {
  checks.step("409 and 422 with details");
  const create = (body: Schemas["AccessCreate"]) => client.POST(ACCESSES, { params: { path: partner }, body });
  const taken = { first_name: "Ida", last_name: "Muster", email: "aenne.schaefer@sonnenschein.example" };
  equal("code", refused(await create(taken), 409).code, "duplicate_email");
  const last = refused(await client.DELETE(AREA, netz), 409);
  equal("code", [last.code, last.type], ["last_area", "/problems/last_area"]);
  const invalid = refused(await create({ ...taken, email: "ida", last_name: "" }), 422);
  equal("code", invalid.code, "validation_failed");
  equal("pointers", invalid.errors.map((error) => error.pointer).sort(), ["/email", "/last_name"]);
}

async function excludeTickets(): Promise<void> {
  checks.step("an exclusion rule with a nested filter");
  const filter: Schemas["TicketFilter"] = {
    type: "all",
    filters: [
      { type: "condition", field: "area", operator: "in", values: ["netz"] },
      {
        type: "any",
        filters: [
          { type: "condition", field: "status", operator: "in", values: ["closed"] },
          { type: "condition", field: "tag", operator: "any_of", values: ["Personal"] },
        ],
      },
    ],
  };
  const body = { name: "Altfälle", filter };
  const rule = succeeded(await client.POST(`${ONE}/exclusion-rules`, { params: { path: partner }, body }), 201);
  equal("filter", rule.filter, filter);
  // the discriminator selects the type
  const inner = rule.filter.type === "condition" ? undefined : rule.filter.filters[1];
  const leaf = inner === undefined || inner.type === "condition" ? undefined : inner.filters[0];
  equal("leaf", leaf?.type === "condition" ? leaf.field : undefined, "status");
}

async function decide(id: string): Promise<void> {
  checks.step("ticket visibility: visible, hidden, with explanation");
  const known = { business_partner_id: "K-1002", area_id: "netz", internal: false, confidential: false, tags: [] };
  const tickets: Schemas["Ticket"][] = [
    { ...known, ticket_id: "open", status: "open" },
    { ...known, ticket_id: "closed", status: "closed", internal: true },
    { ...known, ticket_id: "unknown" },
    { ...known, ticket_id: "none", status: null },
  ];
  const body = { access_id: id, explain: true, tickets };
  const response = succeeded(await client.POST("/api/v1/decisions/ticket-visibility", { body }), 200);
  const visible = Object.fromEntries(response.decisions.map((decision) => [decision.ticket_id, decision.visible]));
  equal("visible", visible, { open: true, closed: false, unknown: false, none: true });
  const steps = (index: number) => (response.decisions[index]?.steps ?? []).filter((step) => step.outcome !== "pass");
  equal("no step denies", steps(0), []);
  equal("hidden", steps(1).map((step) => step.code), ["ticket_internal", "excluded_by_rule"]);
  equal("the rule", steps(1)[1]?.sources.map((source) => source.name), ["Altfälle"]);
  const [undetermined] = steps(2);
  equal("unknown", [undetermined?.code, undetermined?.outcome], ["excluded_by_rule_undetermined", "undetermined"]);

  checks.step("ticket creation");
  const create = async (ticketType: string) => {
    const question = { access_id: id, area_id: "netz", ticket_type_id: ticketType };
    return succeeded(await client.POST("/api/v1/decisions/ticket-creation", { body: question }), 200);
  };
  const may = await create("anomalie");
  equal("allowed", [may.allowed, may.approval_required, may.reasons], [true, true, []]);
  const mayNot = await create("eintritt");
  equal("not allowed", mayNot.allowed, false);
  const reasons = mayNot.reasons.map((reason) => reason.code);
  equal("reasons", reasons, ["ticket_type_not_granted", "ticket_type_not_startable"]);

  checks.step("ticket approval");
  const ticket = { ...known, ticket_id: "open", status: "open", released: false } as const;
  const question = { access_id: id, ticket };
  const approval = succeeded(await client.POST("/api/v1/decisions/ticket-approval", { body: question }), 200);
  equal("no approval", approval.allowed, false);
  equal("against it", approval.reasons.map((reason) => reason.code), ["not_approver"]);
}

async function pages(): Promise<string[]> {
  checks.step("page through a list");
  for (const name of ["Drucker", "Arbeitsplatz", "VPN", "Cloud", "Büro"]) {
    succeeded(await client.POST(TAGS, { params: { path: partner }, body: { name } }), 201);
  }
  const sizes: number[] = [];
  const tags: Schemas["Tag"][] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; sort: "name"; cursor?: string } = { limit: 2, sort: "name" };
    if (cursor !== null) {
      query.cursor = cursor;
    }
    const page: Schemas["TagList"] = succeeded(await client.GET(TAGS, { params: { path: partner, query } }), 200);
    sizes.push(page.items.length);
    tags.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  equal("pages", sizes, [2, 2, 1]);
  equal("names", tags.map((tag) => tag.name), ["Arbeitsplatz", "Büro", "Cloud", "Drucker", "VPN"]);
  equal("everywhere", tags.map((tag) => tag.area_id), [null, null, null, null, null]);
  return tags.map((tag) => tag.id);
}

async function history(): Promise<void> {
  checks.step("the history");
  const response = await client.GET(`${ONE}/history`, { params: { path: partner, query: { limit: 1 } } });
  const [entry] = succeeded(response, 200).items;
  equal("entry", [entry?.resource, entry?.action, entry?.subject], ["tag", "created", "demo"]);
  const after: Record<string, unknown> | null | undefined = entry?.after;
  equal("before and after", [entry?.before, after?.["name"]], [null, "Büro"]);
}

async function deleteAll(accessId: string, tags: string[]): Promise<void> {
  checks.step("delete");
  for (const tag_id of tags) {
    succeeded(await client.DELETE(TAG, { params: { path: { ...partner, tag_id } } }), 204);
  }
  const gone = await client.GET(TAG, { params: { path: { ...partner, tag_id: tags[0] ?? "" } } });
  equal("code", refused(gone, 404).code, "not_found");
  const path = { ...partner, access_id: accessId };
  const inactive = succeeded(await client.PATCH(ACCESS, { params: { path }, body: { active: false } }), 200);
  equal("ineffective", inactive.ineffective_reasons, ["access_inactive"]);
  // a filter may reference a revoked area
  const removed = await client.DELETE(AREA, netz);
  equal("no body", succeeded(removed, 204), undefined);
  const incomplete = refused(await client.PATCH(ACCESS, { params: { path }, body: { active: true } }), 409);
  equal("code", incomplete.code, "integration_incomplete");
  equal("what is missing", incomplete.errors.map((error) => error.code), ["no_area"]);
}

async function unknownCode(): Promise<void> {
  checks.step("a problem code that was added after the client was generated");
  const path = { ...partner, tag_id: "00000000-0000-7000-8000-000000000000" };
  const gone = refused(await client.GET(TAG, { params: { path } }), 404);
  const known: Schemas["KnownProblemCode"] = "not_found";
  equal("known code", gone.code, known);
  const later = JSON.stringify({ ...gone, code: "added_later" });
  const headers = { "Content-Type": "application/problem+json" };
  const fetch = () => Promise.resolve(new Response(later, { status: 404, headers }));
  equal("unknown code", refused(await client.GET(TAG, { params: { path }, fetch }), 404).code, "added_later");
}

await activate();
await grant();
const { id, etag } = await createAccess();
await patchAccess(id, etag);
await conflicts();
await excludeTickets();
await decide(id);
const tags = await pages();
await history();
await deleteAll(id, tags);
await unknownCode();
console.log(`typescript: ${checks.passed} checks passed`);
