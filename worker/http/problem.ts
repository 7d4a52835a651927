/** Errors as RFC 9457 problem details. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { LabelerError } from "../errors.ts";
import { cut } from "../validation/quote.ts";
import type { AppEnv } from "./app-env.ts";
import { ACCEPTED_ENCODINGS } from "./content-encoding.ts";

/** The fields of a problem. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

/** Callers' values in it are cut already; this is for those that were forgotten. In characters. */
const MAX_DETAIL = 1800;

/** What a caller may know of an error. */
export const problemOf = (error: unknown): Problem => {
  if (error instanceof LabelerError) {
    const { kind, title, status, message } = error;
    return { type: `urn:edge-labeler:problem:${kind}`, title, status, detail: cut(message, MAX_DETAIL) };
  }
  return {
    type: "about:blank",
    title: "Internal Server Error",
    status: 500,
    detail: "The labeler made a mistake; its log says which.",
  };
};

interface Shape {
  readonly type: string;
  /** What stands in the body. */
  body(problem: Problem): unknown;
}

const PROBLEM: Shape = { type: "application/problem+json", body: (problem) => problem };
/** eKuiper reads JSON and text only. */
const JSON_PROBLEM: Shape = { type: "application/json", body: (problem) => problem };
/** As the Open Inference Protocol and Hugging Face's API have it. */
const MESSAGE: Shape = { type: "application/json", body: ({ detail }) => ({ error: detail }) };

function shapeFor({ path, method }: Context<AppEnv>["req"]): Shape {
  if (path.startsWith("/ekuiper/")) return JSON_PROBLEM;
  if (path.startsWith("/v2/") || (method === "POST" && path.startsWith("/models/"))) return MESSAGE;
  return PROBLEM;
}

/** The answer to a request that failed; what is no mistake of the caller's goes to the log. */
export function problem(error: unknown, c: Context<AppEnv>): Response {
  if (!(error instanceof LabelerError)) console.error(error);
  const body = problemOf(error);
  if (error instanceof LabelerError && error.retryAfter !== undefined) c.header("retry-after", `${error.retryAfter}`);
  if (error instanceof LabelerError && error.kind === "unsupported-encoding")
    c.header("accept-encoding", ACCEPTED_ENCODINGS);
  const shape = shapeFor(c.req);
  const text = JSON.stringify(shape.body(body));
  return c.body(text, body.status as ContentfulStatusCode, { "content-type": shape.type });
}

/** The answer where no route matched: 405 if another method would have, else 404. */
export function noRoute(c: Context<AppEnv>, routes: readonly { method: string; path: string }[]): Response {
  const here = c.req.path.split("/");
  const methods = routes.filter(({ method, path }) => {
    const parts = path.split("/");
    return (
      method !== "ALL" &&
      parts.length === here.length &&
      parts.every((part, i) => part.startsWith(":") || part === here[i])
    );
  });
  if (methods.length === 0) {
    const known = [
      ...new Set(routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`)),
    ];
    return problem(
      new LabelerError("not-found", `There is nothing at ${cut(c.req.path)}. There is: ${known.join(", ")}.`),
      c,
    );
  }
  const allowed = [...new Set(methods.map(({ method }) => method))].join(", ");
  c.header("allow", allowed);
  return problem(
    new LabelerError("method-not-allowed", `${cut(c.req.path)} takes ${allowed}, not ${c.req.method}.`),
    c,
  );
}
