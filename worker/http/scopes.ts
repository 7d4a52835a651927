/**
 * Scopes decide which calls a token may make. Each route names its scope where it is registered, so that the list of routes
 * also shows who may call them. access.ts enforces the scopes before a byte of the body is read.
 */
import type { MiddlewareHandler } from "hono";
import type { Scope } from "../settings/scopes.ts";

/** The scope that a route requires, or none. */
export type Need = Scope | "open";

const needs = new WeakMap<object, Need>();

/**
 * Marks a route with its scope; it comes before the handler.
 *
 * @example new Hono().get("/results", requires("results"), (c) => …)
 */
export function requires(need: Need): MiddlewareHandler {
  const mark: MiddlewareHandler = (_, next) => next();
  needs.set(mark, need);
  return mark;
}

/**
 * The scope of the route that matches a request. The first matching handler answers a request, so the first mark counts.
 *
 * @throws Error if the route is not marked, which is a bug and must not leave the route open.
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
