// The service with tokens of a real identity provider: discovery by JWT_ISSUER alone, the main
// operations, refused tokens, key rotation. `run` starts it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { AUDIENCE, OTHER_RESOURCE, startProvider } from "./provider.mjs";
import { clientToken, discover, userTokens } from "./tokens.mjs";

const [binary, directory] = process.argv.slice(2);
const provider = await startProvider();
const service = spawn(binary, ["serve"], {
  cwd: directory,
  env: {
    BIND_ADDRESS: "127.0.0.1:0",
    DATABASE_URL: "sqlite://test.db",
    JWT_AUDIENCE: AUDIENCE,
    JWT_ISSUER: provider.issuer,
    JWT_JWKS_MIN_REFRESH_INTERVAL: "1s",
    LOG_FORMAT: "json",
  },
  stdio: ["ignore", "ignore", "pipe"],
});
process.on("exit", () => service.kill());

/** The messages of the service's log, read in order. */
const log = createInterface({ input: service.stderr })[Symbol.asyncIterator]();

/** Reads the log up to a message. */
async function logged(prefix) {
  for (;;) {
    const { value, done } = await log.next();
    assert.ok(!done, `the service ended before it logged: ${prefix}`);
    const line = value.startsWith("{") ? JSON.parse(value) : { message: value };
    if (line.message.startsWith(prefix)) return line;
  }
}

function step(text) {
  console.log(`  ${text}`);
}

const origin = (await logged("listening on ")).message.slice("listening on ".length);

async function call(token, method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(`${origin}/api/v1${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text && JSON.parse(text), text };
}

async function succeeds(token, method, path, body) {
  const response = await call(token, method, path, body);
  assert.ok(response.status < 300, `${method} ${path} returned ${response.text}`);
  return response.json;
}

/** Checks that a token is rejected, for a reason that the log names. */
async function isRejected(token, reason) {
  const response = await call(token, "GET", "/me");
  assert.equal(response.status, 401, response.text);
  const line = await logged("token rejected");
  assert.equal(line.reason, reason);
}

step("keys are found by the issuer");
while ((await fetch(`${origin}/health/ready`)).status !== 200) {
  assert.equal(service.exitCode, null);
}

step("clients find the issuer by the service");
const anonymous = await fetch(`${origin}/api/v1/me`);
assert.equal(anonymous.status, 401);
assert.equal((await logged("token rejected")).reason, "missing_token");
const challenge = anonymous.headers.get("WWW-Authenticate");
const metadataUrl = /resource_metadata="([^"]+)"/.exec(challenge)?.[1];
const resource = await (await fetch(metadataUrl)).json();
assert.deepEqual(resource.authorization_servers, [provider.issuer]);
const metadata = await discover(resource.authorization_servers[0]);

step("client credentials: the ERP writes the catalog");
const erp = await clientToken(metadata, "erp", "catalog:read catalog:write");
await succeeds(erp, "PUT", "/catalog/business-partners/K-1", { name: "Partner", search_name: "P" });
await succeeds(erp, "PUT", "/catalog/areas/netz", { name: "Netzwerk", color: "#00aaff" });
await succeeds(erp, "PUT", "/catalog/ticket-types/anomalie", { name: "Anomalie", kind: "standard" });
const { subject, permissions } = await succeeds(erp, "GET", "/me");
assert.deepEqual([subject, permissions.catalog_write, permissions.integration_read], ["erp", true, false]);

step("code and PKCE: a user activates the partner and creates an access");
const anna = await userTokens(metadata, "anna", "integration:read integration:write audit:read");
const partner = "/customer-integrations/K-1";
await succeeds(anna.access, "PATCH", partner, { active: true });
await succeeds(anna.access, "PUT", `${partner}/areas/netz`);
await succeeds(anna.access, "PUT", `${partner}/ticket-types/anomalie`);
const access = await succeeds(anna.access, "POST", `${partner}/accesses`, {
  first_name: "Berta",
  last_name: "Berg",
  email: "berta@k1.example",
  ticket_visibility: "partner",
});
assert.deepEqual([access.created_by, access.created_by_name], ["anna", "Anna Admin"]);
const history = await succeeds(anna.access, "GET", `${partner}/history?resource=access`);
assert.deepEqual([history.items[0].subject_name, history.items[0].client], ["Anna Admin", "spa"]);
const refused = await call(anna.access, "GET", "/catalog/areas");
assert.equal(refused.json.code, "insufficient_scope");

step("client credentials: the ticket system gets a decision");
const decide = (token) =>
  succeeds(token, "POST", "/decisions/ticket-visibility", {
    access_email: "berta@k1.example",
    tickets: [
      { ticket_id: "1", business_partner_id: "K-1", area_id: "netz", internal: false, confidential: false },
      { ticket_id: "2", business_partner_id: "K-1", area_id: "netz", internal: true, confidential: false },
    ],
  });
const ticketSystem = await clientToken(metadata, "ticket-system", "decisions:read");
const decisions = await decide(ticketSystem);
assert.deepEqual(decisions.decisions.map(({ visible }) => visible), [true, false]);

step("other tokens of the provider are rejected");
await isRejected(anna.id, "type");
await isRejected(await clientToken(metadata, "erp", "catalog:read", OTHER_RESOURCE), "audience");
await isRejected(await clientToken(metadata, "erp", undefined, null), "malformed");

step("rotation: the new key is accepted at once, the withdrawn one rejected");
await provider.rotate();
await decide(await clientToken(metadata, "ticket-system", "decisions:read"));
await isRejected(ticketSystem, "unknown_key");

service.kill("SIGTERM");
await new Promise((resolve) => service.once("exit", resolve));
assert.equal(service.exitCode, 0);
provider.close();
console.log("passed");
