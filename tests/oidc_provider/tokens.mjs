// Gets tokens from the provider as its clients do.
import { createHash, randomBytes } from "node:crypto";
import { REDIRECT_URI, RESOURCE, SECRET } from "./provider.mjs";

const form = (values) => ({
  method: "POST",
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(values),
});

async function json(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.url} returned ${JSON.stringify(body)}`);
  return body;
}

/** The metadata of an issuer. */
export async function discover(issuer) {
  return json(await fetch(`${issuer}/.well-known/openid-configuration`));
}

/** A token of the client credentials grant. Without a resource it is opaque. */
export async function clientToken(metadata, client, scope, resource = RESOURCE) {
  const request = form({
    grant_type: "client_credentials",
    client_id: client,
    client_secret: SECRET,
    ...(scope && { scope }),
    ...(resource && { resource }),
  });
  return (await json(await fetch(metadata.token_endpoint, request))).access_token;
}

/** A browser without scripts: sends cookies, and follows redirects up to the callback. */
class Browser {
  #cookies = new Map();

  async open(url, request = {}) {
    for (let target = url, redirects = 0; redirects < 20; redirects += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = { ...request.headers, Cookie: cookie };
      const response = await fetch(target, { ...request, headers, redirect: "manual" });
      for (const header of response.headers.getSetCookie()) {
        const [name, ...value] = header.split(";")[0].split("=");
        this.#cookies.set(name, value.join("="));
      }
      const location = response.headers.get("Location");
      if (!location) return { url: target, text: await response.text() };
      target = new URL(location, target).href;
      if (target.startsWith(REDIRECT_URI)) return { url: target, text: "" };
      request = {};
    }
    throw new Error("too many redirects");
  }
}

/** Logs a user in with code and PKCE. Returns access token and ID token. */
export async function userTokens(metadata, user, scope) {
  const verifier = randomBytes(32).toString("base64url");
  const authorization = new URL(metadata.authorization_endpoint);
  authorization.search = new URLSearchParams({
    client_id: "spa",
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    scope: `openid ${scope}`,
    resource: RESOURCE,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const browser = new Browser();
  let page = await browser.open(authorization.href);
  for (const answers of [{ prompt: "login", login: user, password: "any" }, { prompt: "consent" }]) {
    if (page.url.startsWith(REDIRECT_URI)) break;
    page = await browser.open(page.url, form(answers));
  }
  const code = new URL(page.url).searchParams.get("code");
  if (!code) throw new Error(`the login ended at ${page.url}: ${page.text}`);
  const request = form({
    grant_type: "authorization_code",
    client_id: "spa",
    code,
    code_verifier: verifier,
    redirect_uri: REDIRECT_URI,
    resource: RESOURCE,
  });
  const tokens = await json(await fetch(metadata.token_endpoint, request));
  return { access: tokens.access_token, id: tokens.id_token };
}
