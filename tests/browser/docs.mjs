// Tests /docs without network access: loads it, authorizes, and tries out an operation.
import { check, checksPassed, inBrowser, newPage } from "./browser.mjs";

const { SERVICE, TOKEN, OUT } = process.env;

async function authorize(page) {
  await page.locator(".auth-wrapper button.authorize").first().click();
  const dialog = page.locator(".dialog-ux");
  await dialog.locator("input").fill(TOKEN);
  await dialog.getByRole("button", { name: "Apply credentials" }).click();
  await dialog.getByRole("button", { name: "Remove authorization" }).waitFor();
  await page.screenshot({ path: `${OUT}/docs-authorized.png` });
  await dialog.getByRole("button", { name: "Close", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Opens an operation: its request and its success must fit on two screens. */
async function showOperation(page, tag, id) {
  const operation = page.locator(`#operations-${tag}-${id}`);
  await operation.locator(".opblock-summary-control").click();
  const success = operation.locator("tr.response:not(.error-response *)").first();
  await success.locator(".highlight-code").first().waitFor();
  const top = (await operation.boundingBox()).y;
  const box = await success.boundingBox();
  await operation.screenshot({ path: `${OUT}/docs-${id}.png` });
  const screens = (box.y + box.height - top) / page.viewportSize().height;
  check(`${id}: request and success fit on two screens (${screens.toFixed(2)})`, screens <= 2, screens);
  const errors = operation.locator("details.error-response");
  check(`${id}: its error responses are collapsed`, (await errors.count()) > 5 && (await errors.locator("[open]").count()) === 0);
  await errors.first().locator("summary").click();
  await errors.first().locator(".highlight-code").first().waitFor();
  await operation.screenshot({ path: `${OUT}/docs-${id}-error.png` });
  await operation.locator(".opblock-summary-control").click();
}

/** The assets are compressed, and the license and the problem pages exist. */
async function checkPages(page) {
  const script = await page.request.get(`${SERVICE}/docs/swagger-ui-bundle.js`);
  check("the script is compressed", script.headers()["content-encoding"] === "gzip", script.headers());
  const href = await page.locator(".info__license a").getAttribute("href");
  const license = await page.request.get(new URL(href, `${SERVICE}/docs/`).href);
  check("the license link is valid", license.status() === 200 && (await license.text()).includes("MIT"), href);
  await page.goto(`${SERVICE}/problems`);
  await page.screenshot({ path: `${OUT}/problems.png` });
  const pages = await page.locator("a").evaluateAll((links) => links.map((link) => link.href));
  check("the index links to the problem pages", pages.length > 50, pages.length);
  await page.goto(`${SERVICE}/problems/last_area`);
  check("a problem page says what to do", (await page.locator(".remedy").count()) === 2);
  await page.screenshot({ path: `${OUT}/problem.png` });
}

async function tryOut(page) {
  const operation = page.locator("#operations-customer-integrations-list_customer_integrations");
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.locator('tr[data-param-name="q"] input').fill("muster");
  await operation.getByRole("button", { name: "Execute" }).click();
  const live = operation.locator(".live-responses-table .response");
  await live.waitFor();
  await live.scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${OUT}/docs-response.png` });
  const status = await live.locator(".response-col_status").innerText();
  check("the shown status is 200", status.trim().split(/\s/)[0] === "200", status);
  const shown = await live.locator(".response-col_description .highlight-code").first().innerText();
  const body = JSON.parse(shown.replace(/^Download\s*|\s*Download\s*$/g, ""));
  const names = body.items.map((item) => item.business_partner.name);
  check("the shown response has the partner searched for", names.join() === "Muster Maschinenbau GmbH", names);
}

await inBrowser(async (browser) => {
  const { page, errors } = await newPage(browser);
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== SERVICE) {
      errors.push(`request to another host: ${request.url()}`);
    }
  });
  page.on("requestfailed", (request) => errors.push(`failed request: ${request.url()}`));
  page.on("response", (response) => {
    if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${SERVICE}/docs`);
  await page.locator(".swagger-ui .info .title").waitFor();
  const operations = await page.locator(".opblock").count();
  await page.screenshot({ path: `${OUT}/docs.png` });
  check(`it shows all operations (${operations})`, operations === Number(process.env.OPERATIONS), operations);
  await authorize(page);
  await showOperation(page, "accesses", "create_access");
  await showOperation(page, "queries", "update_query");
  await showOperation(page, "decisions", "decide_ticket_visibility");
  await tryOut(page);
  await checkPages(page);
  check("no error, no warning, nothing blocked, no request to another host", errors.length === 0, errors);
});
console.log(`${checksPassed()} checks passed: /docs`);
