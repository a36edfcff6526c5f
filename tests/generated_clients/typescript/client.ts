// The generated types with openapi-fetch around them, as a front end would write it.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];
type Answer<T> = { data?: T; error?: Problem; response: Response };

export function clientOf(service: string, token: string, language = "en") {
  const headers = { Authorization: `Bearer ${token}`, "Accept-Language": language };
  return createClient<paths>({ baseUrl: service, headers });
}

/** What a successful request answered. */
export function succeeded<T>(answer: Answer<T>, status: number): T {
  if (answer.response.status !== status) {
    throw new Error(`expected ${status}, got ${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data as T;
}

/** The problem that a refused request answered. */
export function refused(answer: Answer<unknown>, status: number): Problem {
  if (answer.response.status !== status || answer.error === undefined) {
    throw new Error(`expected a problem ${status}, got ${answer.response.status}: ${JSON.stringify(answer.data)}`);
  }
  return answer.error;
}

export function header(answer: Answer<unknown>, name: string): string {
  const value = answer.response.headers.get(name);
  if (value === null) {
    throw new Error(`the answer's header ${name} is missing or may not be read`);
  }
  return value;
}
