/**
 * Scopes: which calls a token may make. Each route says which scope it needs where it is registered, so that the list of
 * routes is also the list of who may call them. access.ts enforces it, before a byte of the body is read.
 */
import type { MiddlewareHandler } from "hono";
import type { Scope } from "../settings/scopes.ts";

/** What a route needs of its caller: a scope, or nothing. */
export type Need = Scope | "open";

const needs = new WeakMap<object, Need>();

/**
 * Marks a route; belongs before its handler.
 *
 * @example new Hono().get("/results", requires("results"), (c) => …)
 */
export function requires(need: Need): MiddlewareHandler {
  const mark: MiddlewareHandler = (_, next) => next();
  needs.set(mark, need);
  return mark;
}

/**
 * What the route that matches a request needs. The handler that a request meets first answers it, so the first mark counts.
 *
 * @throws Error if a route is not marked: a bug, which must not leave it open.
 * @returns Undefined if only middleware matches, so that the answer will be a 404 or a 405.
 */
export function needOf(matched: readonly { method: string; path: string; handler: object }[]): Need | undefined {
  const need = matched.map(({ handler }) => needs.get(handler)).find((found) => found !== undefined);
  const route = matched.find(({ method }) => method !== "ALL");
  if (need === undefined && route !== undefined) {
    throw new Error(`The route ${route.method} ${route.path} does not say which scope it needs.`);
  }
  return need;
}
