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

/** The longest detail, in characters. Values of callers are cut before; this limit is for any that were forgotten. */
const MAX_DETAIL = 1800;

/** The part of an error that a caller may know. */
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
  /** Makes the body of the answer. */
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

/** Answers a request that failed. An error that is not the caller's mistake is logged. */
export function answerProblem(error: unknown, c: Context<AppEnv>): Response {
  if (!(error instanceof LabelerError)) console.error(error);
  const body = problemOf(error);
  if (error instanceof LabelerError && error.retryAfter !== undefined) c.header("retry-after", `${error.retryAfter}`);
  if (error instanceof LabelerError && error.kind === "unsupported-encoding")
    c.header("accept-encoding", ACCEPTED_ENCODINGS);
  const shape = shapeFor(c.req);
  const text = JSON.stringify(shape.body(body));
  return c.body(text, body.status as ContentfulStatusCode, { "content-type": shape.type });
}

/** Answers a request that no route matched: with 405 if another method would have matched, else with 404. */
export function answerNoRoute(c: Context<AppEnv>, routes: readonly { method: string; path: string }[]): Response {
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
    return answerProblem(
      new LabelerError("not-found", `There is nothing at ${cut(c.req.path)}. There is: ${known.join(", ")}.`),
      c,
    );
  }
  const allowed = [...new Set(methods.map(({ method }) => method))].join(", ");
  c.header("allow", allowed);
  return answerProblem(
    new LabelerError("method-not-allowed", `${cut(c.req.path)} takes ${allowed}, not ${c.req.method}.`),
    c,
  );
}
