// A client with openapi-fetch and the generated types, as in a front end.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];
export type Result<T> = { data?: T; error?: Problem; response: Response };

export function clientOf(service: string, token: string, language = "en") {
  const headers = { Authorization: `Bearer ${token}`, "Accept-Language": language };
  return createClient<paths>({ baseUrl: service, headers });
}

/** Returns the body of a successful response. */
export function succeeded<T>(result: Result<T>, status: number): T {
  if (result.response.status !== status) {
    throw new Error(`expected ${status}, got ${result.response.status}: ${JSON.stringify(result.error)}`);
  }
  return result.data as T;
}

/** Returns the problem of a rejected request. */
export function refused(result: Result<unknown>, status: number): Problem {
  if (result.response.status !== status || result.error === undefined) {
    throw new Error(`expected a problem ${status}, got ${result.response.status}: ${JSON.stringify(result.data)}`);
  }
  return result.error;
}

export function header(result: Result<unknown>, name: string): string {
  const value = result.response.headers.get(name);
  if (value === null) {
    throw new Error(`the header ${name} is missing or not exposed`);
  }
  return value;
}
