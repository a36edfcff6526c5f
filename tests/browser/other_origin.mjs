// A browser app of an allowed origin can use the API; one of a forbidden origin can read nothing.
import { check, checksPassed, inBrowser, newPage } from "./browser.mjs";

const { SERVICE, TOKEN, ALLOWED, FORBIDDEN, OUT } = process.env;

/** Records the browser's network traffic, grouped by request. */
async function listen(page) {
  const seen = new Map();
  const of = (id) => seen.get(id) ?? seen.set(id, {}).get(id);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  devtools.on("Network.requestWillBeSent", ({ requestId, type, request }) =>
    Object.assign(of(requestId), { type, method: request.method, url: request.url, requested: lower(request.headers) }),
  );
  // the headers on the wire, which the page cannot see
  devtools.on("Network.requestWillBeSentExtraInfo", ({ requestId, headers }) => {
    of(requestId).sent = lower(headers);
  });
  devtools.on("Network.responseReceivedExtraInfo", ({ requestId, headers, statusCode }) =>
    Object.assign(of(requestId), { status: statusCode, received: lower(headers) }),
  );
  return () => [...seen.values()].filter((exchange) => exchange.url?.startsWith(SERVICE));
}

const lower = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

async function allowed(browser) {
  const { page } = await newPage(browser);
  const exchanges = await listen(page);
  await page.goto(ALLOWED);
  const comparisons = await page.evaluate(([service, token]) => window.walk(service, token), [SERVICE, TOKEN]);
  await page.screenshot({ path: `${OUT}/other-origin.png` });
  const steps = await page.locator("#steps li").allTextContents();
  console.log(steps.join("\n"));
  check(`the integration and its seven sub-tabs (${comparisons} comparisons)`, steps.length === 8 && comparisons > 8, steps);
  const preflights = exchanges().filter((exchange) => exchange.method === "OPTIONS");
  const calls = exchanges().filter((exchange) => exchange.method !== "OPTIONS");
  const origins = new Set([...preflights, ...calls].map((exchange) => exchange.sent?.origin));
  check("every request names the page's origin", [...origins].join() === ALLOWED, [...origins]);
  check("every call carries the token", calls.every((exchange) => exchange.sent?.authorization === `Bearer ${TOKEN}`), calls);
  const methods = [...new Set(preflights.map((exchange) => exchange.sent?.["access-control-request-method"]))].sort();
  check("preflights request every method", methods.join() === "DELETE,GET,PATCH,POST,PUT", methods);
  const headers = new Set(preflights.flatMap((exchange) => exchange.sent?.["access-control-request-headers"]?.split(",")));
  const wanted = ["authorization", "content-type", "if-match", "if-none-match"];
  check("preflights request every header", wanted.every((name) => headers.has(name)), [...headers]);
  const granted = (exchange) => exchange.status === 200 && exchange.received["access-control-allow-origin"] === ALLOWED;
  check(`${preflights.length} preflights are granted to the origin`, preflights.every(granted), preflights);
  check("preflights are cached for an hour", preflights.every((exchange) => exchange.received["access-control-max-age"] === "3600"), preflights);
  // as many preflights as calls would mean that the browser caches none
  check(`${calls.length} calls need fewer preflights`, preflights.length < calls.length, preflights.length);
}

async function forbidden(browser) {
  const { page } = await newPage(browser);
  const exchanges = await listen(page);
  await page.goto(FORBIDDEN);
  const peek = (path, init) => page.evaluate(([url, how]) => window.peek(url, how), [SERVICE + path, init]);
  const authorization = { headers: { Authorization: `Bearer ${TOKEN}` } };
  const failed = "TypeError: Failed to fetch";
  const list = "/api/v1/customer-integrations";
  const withToken = await peek(list, authorization);
  check("another origin cannot read with a token", withToken === failed, withToken);
  const change = await peek(`${list}/K-1001`, { ...authorization, method: "PATCH", body: '{"active":false}' });
  check("another origin cannot change anything", change === failed, change);
  const problem = await peek(list, {});
  check("another origin cannot read a problem", problem === failed, problem);
  const document = await peek("/openapi.json", {});
  check("another origin cannot read the document", document === failed, document);
  const opaque = await peek("/openapi.json", { mode: "no-cors" });
  check("without CORS the response is opaque", opaque === "opaque 0 ", opaque);
  const granted = exchanges().filter((exchange) => exchange.received?.["access-control-allow-origin"] !== undefined);
  check("nothing is granted to it", exchanges().length >= 5 && granted.length === 0, granted);
  const calls = exchanges().filter((exchange) => exchange.method === "PATCH" && exchange.status !== undefined);
  check("the change was not even sent", calls.length === 0, calls);
  const partner = await (await fetch(`${SERVICE}${list}/K-1001`, authorization)).json();
  check("nothing has changed", partner.active === true, partner);
}

await inBrowser(async (browser) => {
  await allowed(browser);
  await forbidden(browser);
});
console.log(`${checksPassed()} checks passed: cross-origin requests`);
