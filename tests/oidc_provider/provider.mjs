// An OpenID provider (npm's oidc-provider) whose signing key can be rotated.
import { createServer } from "node:http";
import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { Provider } from "oidc-provider";

export const AUDIENCE = "customer-integration";
export const RESOURCE = "urn:customer-integration";
/** A resource with another audience. */
export const OTHER_RESOURCE = "urn:other";
export const REDIRECT_URI = "http://127.0.0.1/callback";
export const SECRET = "a secret of the test clients, long enough";

const SCOPES =
  "integration:read integration:write global-rules:write catalog:read catalog:write decisions:read audit:read";
const NAMES = { anna: "Anna Admin" };

/** A client that gets tokens for itself. */
const machine = (client_id) => ({
  client_id,
  client_secret: SECRET,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
});

async function signingKey(kid) {
  const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" };
}

function configuration(key) {
  return {
    jwks: { keys: [key] },
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    cookies: { keys: ["a key of the test"] },
    clients: [
      machine("erp"),
      machine("ticket-system"),
      {
        client_id: "spa",
        application_type: "native",
        grant_types: ["authorization_code"],
        redirect_uris: [REDIRECT_URI],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
      },
    ],
    extraTokenClaims: (_context, token) => {
      const name = NAMES[token.accountId];
      return name && { name };
    },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          audience: resource === RESOURCE ? AUDIENCE : "other",
          jwt: { sign: { alg: "ES256" } },
          scope: SCOPES,
        }),
        useGrantedResource: () => true,
      },
    },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  };
}

/** Starts the provider on a free port. */
export async function startProvider() {
  let callback = (_request, response) => response.writeHead(503).end();
  let rotations = 0;
  const server = createServer((request, response) => callback(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  /** Replaces the signing key; the old one is no longer published. */
  const rotate = async () => {
    rotations += 1;
    const provider = new Provider(issuer, configuration(await signingKey(`key-${rotations}`)));
    callback = provider.callback();
  };
  await rotate();
  return { issuer, rotate, close: () => server.close() };
}
