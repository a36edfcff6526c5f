// Operates the front end of app.ts, and checks what it shows.
import { check, checksPassed, inBrowser, newPage } from "./browser.mjs";

const { SERVICE, TOKEN, EDITOR, READER, ALLOWED, OUT } = process.env;

// title, total, first rows by the first sort key, first rows by descending name
const TABS = [
  ["Kundenzugänge", 4, "Mary O'Neill|Karl Ruhestand|Änne Schäfer", "Jörg Weiß|Änne Schäfer|Karl Ruhestand"],
  ["Bereiche", 3, "ERP-Anwendungen|Netzwerk|Service Desk", "Service Desk|Netzwerk|ERP-Anwendungen"],
  ["Ticketarten", 4, "Änderungsanfrage|Anomalie|Mitarbeitereintritt", "Rückruf|Mitarbeitereintritt|Anomalie"],
  ["Tags", 3, "Drucker|Personal|VPN", "VPN|Personal|Drucker"],
  ["Ticket Board Abfragen", 2, "Offene Netzwerktickets|Meine offenen Tickets", "Offene Netzwerktickets|Meine offenen Tickets"],
  ["Ausschlussregeln", 1, "Personalakten: Tags enthalten „Personal“.", "Personalakten: Tags enthalten „Personal“."],
  ["Plan Boards", 2, "Rollout 2027|Wartungsfenster", "Wartungsfenster|Rollout 2027"],
];

const start = (page, token, partner, language) =>
  page.evaluate((options) => window.start(...options), [SERVICE, token, partner, language]);
const idle = (page) => page.locator("body[aria-busy=false]").waitFor();
const texts = (page, list) => page.locator(`#${list} span`).allTextContents();
const buttons = (page, name) => page.getByRole("button", { name, exact: true });

async function click(page, name) {
  await buttons(page, name).first().click();
  await idle(page);
}

async function sort(page, key) {
  await page.locator("#sort").selectOption(key);
  await idle(page);
}

/** Checks the title and the rows of the open sub-tab. */
async function shows(page, title, rows) {
  const shown = [await page.locator("#title").textContent(), (await texts(page, "rows")).join("|")];
  check(`${title}: ${rows}`, shown[0] === title && shown[1] === rows, shown);
}

async function tabs(page) {
  for (const [title, total, ascending, descending] of TABS) {
    const shown = `${title}: ${Math.min(3, total)} von ${total}`;
    await click(page, title);
    await shows(page, shown, ascending);
    await sort(page, "-name");
    await shows(page, shown, descending);
  }
}

async function sorts(page) {
  await click(page, "Kundenzugänge");
  await sort(page, "email");
  await shows(page, "Kundenzugänge: 3 von 4", "Änne Schäfer|Jörg Weiß|Karl Ruhestand");
  await sort(page, "-email");
  await shows(page, "Kundenzugänge: 3 von 4", "Mary O'Neill|Karl Ruhestand|Jörg Weiß");
  await sort(page, "-updated_at");
  await shows(page, "Kundenzugänge: 3 von 4", "Karl Ruhestand|Mary O'Neill|Jörg Weiß");
  await click(page, "Ticket Board Abfragen");
  await sort(page, "name");
  await shows(page, "Ticket Board Abfragen: 2 von 2", "Meine offenen Tickets|Offene Netzwerktickets");
}

/** Creates a person with a similar name at another partner. */
async function addPerson(page) {
  const partner = `${SERVICE}/api/v1/customer-integrations/K-1003`;
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const access = { first_name: "Vera", last_name: "Weiss", email: "vera.weiss@fliesstal.example" };
  const responses = [
    await page.request.patch(partner, { headers, data: { active: true } }),
    await page.request.put(`${partner}/areas/netz`, { headers }),
    await page.request.put(`${partner}/ticket-types/anomalie`, { headers }),
    await page.request.post(`${partner}/accesses`, { headers, data: access }),
  ];
  check("another partner has an access", responses.every((response) => response.ok()), responses);
}

async function search(page) {
  for (const [text, expected] of [
    ["weiß", "Jörg Weiß, K-1001|Vera Weiss, K-1003"],
    ["Mary.ONeill@muster.example", "Mary O'Neill, K-1001"],
  ]) {
    await page.locator("#person").fill(text);
    await click(page, "Suchen");
    const shown = (await texts(page, "found")).join("|");
    check(`the search for ${text} finds ${expected}`, shown === expected, shown);
  }
}

async function order(page) {
  await click(page, "Ticket Board Abfragen");
  await buttons(page, "An den Anfang").nth(1).click();
  await idle(page);
  await shows(page, "Ticket Board Abfragen: 2 von 2", "Meine offenen Tickets|Offene Netzwerktickets");
}

async function preview(page, language, expected) {
  await start(page, READER, "K-1001", language);
  await page.locator("#tag").fill("VPN");
  await click(page, "Vorschau");
  const summary = await page.locator("#summary").textContent();
  check(`the draft of a rule: ${expected}`, summary === expected, summary);
  await click(page, "Ausschlussregeln");
  const title = await page.locator("#title").textContent();
  check("the draft is not saved", title === "Ausschlussregeln: 1 von 1", title);
}

async function readiness(page, language, expected) {
  await start(page, READER, "K-1004", language);
  const shown = await texts(page, "readiness");
  check(`the readiness: ${expected}`, shown.length === 4 && shown[0] === expected, shown);
}

/** Checks how many buttons for changes the token shows. */
async function permissions(page, role, token, toTop, revoke) {
  await start(page, token, "K-1001", "de");
  await click(page, "Ticket Board Abfragen");
  const shown = [await buttons(page, "An den Anfang").count()];
  await click(page, "Plan Boards");
  shown.push(await buttons(page, "Entziehen").count());
  check(`${role}: ${toTop} buttons to move, ${revoke} to revoke`, shown.join() === [toTop, revoke].join(), shown);
}

await inBrowser(async (browser) => {
  const { page, errors } = await newPage(browser);
  await addPerson(page);
  await page.goto(`${ALLOWED}/app`);
  await start(page, TOKEN, "K-1001", "de");
  await tabs(page);
  await sorts(page);
  await search(page);
  await order(page);
  await page.screenshot({ path: `${OUT}/app.png` });
  await permissions(page, "administrator", TOKEN, 2, 2);
  await click(page, "Entziehen");
  await shows(page, "Plan Boards: 1 von 1", "Wartungsfenster");
  await permissions(page, "editor", EDITOR, 2, 0);
  await permissions(page, "reader", READER, 0, 0);
  await preview(page, "de", "Tags enthalten „VPN“.");
  await preview(page, "en", "Tags include “VPN”.");
  await readiness(page, "de", "Die Kundenintegration ist inaktiv.");
  await readiness(page, "en", "The customer integration is inactive.");
  check("no error, no warning, nothing blocked", errors.length === 0, errors);
});
console.log(`${checksPassed()} checks passed: front end`);
