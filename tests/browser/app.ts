// A minimal front end with the generated client: the sub-tabs with totals and sorting, search for
// persons, readiness, order of queries, preview of a rule. tests/browser/app.mjs operates it.
import { clientOf, succeeded, type Result, type Schemas } from "./client.js";

const ONE = "/api/v1/customer-integrations/{business_partner_id}";
// less than there are accesses and ticket types, so that totals are not lengths
const PAGE_SIZE = 3;

type Query<Sort> = { count: true; limit: number; sort: Sort };
type Page<Item> = { items: Item[]; total_count: number | null };
type List = { sort: string; load: () => Promise<{ rows: HTMLElement[]; total: number | null }> };
type Tab = { title: string; lists: List[] };

/** Describes a sub-tab with one list for each sort key. */
function tab<Item, Sort extends string>(
  title: string,
  sorts: Sort[],
  load: (query: Query<Sort>) => Promise<Result<Page<Item>>>,
  row: (item: Item, all: Item[]) => HTMLElement,
): Tab {
  const listOf = (sort: Sort): List => ({
    sort,
    load: async () => {
      const page = succeeded(await load({ count: true, limit: PAGE_SIZE, sort }), 200);
      return { rows: page.items.map((item) => row(item, page.items)), total: page.total_count };
    },
  });
  return { title, lists: sorts.map(listOf) };
}

function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id);
  if (!(element instanceof type)) {
    throw new Error(`no element ${id}`);
  }
  return element;
}

/** Marks the app as busy until the action is complete. */
async function run(action: () => Promise<void>): Promise<void> {
  document.body.ariaBusy = "true";
  try {
    await action();
  } finally {
    document.body.ariaBusy = "false";
  }
}

function item(text: string, ...buttons: HTMLElement[]): HTMLElement {
  const element = document.createElement("li");
  const label = document.createElement("span");
  label.textContent = text;
  element.append(label, " ", ...buttons);
  return element;
}

const fullName = (access: Schemas["Access"]) => `${access.first_name} ${access.last_name}`;

class App {
  private list: List | undefined;

  constructor(
    private readonly client: ReturnType<typeof clientOf>,
    private readonly permissions: Schemas["Permissions"],
    private readonly path: { business_partner_id: string },
  ) {}

  async show(): Promise<void> {
    const { client, path } = this;
    const integration = succeeded(await client.GET(ONE, { params: { path } }), 200);
    byId("partner", HTMLElement).textContent = integration.business_partner.name;
    const { blockers, warnings } = integration.readiness;
    byId("readiness", HTMLElement).replaceChildren(...[...blockers, ...warnings].map(({ message }) => item(message)));
    const tabs = this.tabs();
    const buttons = tabs.map((each) => this.button(each.title, "integration_read", () => this.open(each)));
    byId("tabs", HTMLElement).replaceChildren(...buttons);
    byId("search", HTMLElement).replaceChildren(this.button("Suchen", "integration_read", () => this.search()));
    byId("preview", HTMLElement).replaceChildren(this.button("Vorschau", "integration_read", () => this.preview()));
  }

  /** Creates a button that is hidden without the permission. */
  private button(label: string, permission: keyof Schemas["Permissions"], action: () => Promise<void>): HTMLElement {
    const element = document.createElement("button");
    element.textContent = label;
    element.hidden = !this.permissions[permission];
    element.addEventListener("click", () => void run(action));
    return element;
  }

  private tabs(): Tab[] {
    const { client, path } = this;
    return [
      tab(
        "Kundenzugänge",
        ["name", "-name", "email", "-email", "-updated_at"],
        (query) => client.GET(`${ONE}/accesses`, { params: { path, query } }),
        (access) => item(fullName(access)),
      ),
      tab(
        "Bereiche",
        ["name", "-name"],
        (query) => client.GET(`${ONE}/areas`, { params: { path, query } }),
        (area) => item(area.name),
      ),
      tab(
        "Ticketarten",
        ["name", "-name"],
        (query) => client.GET(`${ONE}/ticket-types`, { params: { path, query } }),
        (ticketType) => item(ticketType.name),
      ),
      tab(
        "Tags",
        ["name", "-name"],
        (query) => client.GET(`${ONE}/tags`, { params: { path, query } }),
        (tag) => item(tag.name),
      ),
      tab(
        "Ticket Board Abfragen",
        ["position", "name", "-name"],
        (query) => client.GET(`${ONE}/queries`, { params: { path, query } }),
        (query, all) => item(query.name, this.button("An den Anfang", "integration_write", () => this.moveToTop(query, all))),
      ),
      tab(
        "Ausschlussregeln",
        ["name", "-name"],
        (query) => client.GET(`${ONE}/exclusion-rules`, { params: { path, query } }),
        (rule) => item(`${rule.name}: ${rule.summary}`),
      ),
      tab(
        "Plan Boards",
        ["name", "-name"],
        (query) => client.GET(`${ONE}/plan-boards`, { params: { path, query } }),
        (board) => item(board.name, this.button("Entziehen", "plan_boards_share", () => this.revoke(board))),
      ),
    ];
  }

  private async open({ title, lists }: Tab): Promise<void> {
    byId("title", HTMLElement).dataset["tab"] = title;
    const select = byId("sort", HTMLSelectElement);
    select.replaceChildren(...lists.map(({ sort }) => new Option(sort)));
    select.onchange = () => {
      this.list = lists[select.selectedIndex];
      void run(() => this.refresh());
    };
    this.list = lists[0];
    await this.refresh();
  }

  private async refresh(): Promise<void> {
    const title = byId("title", HTMLElement);
    const { rows, total } = (await this.list?.load()) ?? { rows: [], total: null };
    title.textContent = `${title.dataset["tab"]}: ${rows.length} von ${total}`;
    byId("rows", HTMLElement).replaceChildren(...rows);
  }

  private async moveToTop(query: Schemas["TicketQuery"], all: Schemas["TicketQuery"][]): Promise<void> {
    const query_ids = [query, ...all.filter((other) => other !== query)].map(({ id }) => id);
    succeeded(await this.client.PUT(`${ONE}/queries/order`, { params: { path: this.path }, body: { query_ids } }), 200);
    await this.refresh();
  }

  private async revoke({ plan_board_id }: Schemas["PlanBoardGrant"]): Promise<void> {
    const params = { path: { ...this.path, plan_board_id } };
    succeeded(await this.client.DELETE(`${ONE}/plan-boards/{plan_board_id}`, { params }), 204);
    await this.refresh();
  }

  /** Searches the accesses of all partners by e-mail, or else by name. */
  private async search(): Promise<void> {
    const text = byId("person", HTMLInputElement).value;
    const query = text.includes("@") ? { email: text } : { q: text };
    const { items } = succeeded(await this.client.GET("/api/v1/accesses", { params: { query } }), 200);
    const found = items.map((access) => item(`${fullName(access)}, ${access.business_partner_id}`));
    byId("found", HTMLElement).replaceChildren(...found);
  }

  /** Describes the draft of a rule that is not saved. */
  private async preview(): Promise<void> {
    const values = [byId("tag", HTMLInputElement).value];
    const filter: Schemas["TicketFilter"] = { type: "condition", field: "tag", operator: "any_of", values };
    const body = { ...this.path, filter };
    const preview = succeeded(await this.client.POST("/api/v1/decisions/exclusion-rule-preview", { body }), 200);
    byId("summary", HTMLElement).textContent = preview.summary;
  }
}

/** Shows the customer integration of a partner. */
async function start(service: string, token: string, business_partner_id: string, language: string): Promise<void> {
  const client = clientOf(service, token, language);
  const me = succeeded(await client.GET("/api/v1/me"), 200);
  await new App(client, me.permissions, { business_partner_id }).show();
}

Object.assign(window, { start });
