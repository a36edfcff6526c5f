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

async function tryOut(page) {
  const operation = page.locator("#operations-customer-integrations-list_customer_integrations");
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.locator('tr[data-param-name="q"] input').fill("stadtwerke");
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
  check("the shown response has the partner searched for", names.join() === "Stadtwerke Fließtal AöR", names);
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
  await tryOut(page);
  check("no error, no warning, nothing blocked, no request to another host", errors.length === 0, errors);
});
console.log(`${checksPassed()} checks passed: /docs`);
