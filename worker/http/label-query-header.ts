/**
 * Parameters in a header, for eKuiper's functions: what a function calls has a fixed address, to which eKuiper adds the
 * function's name, so that a query has no place there. Only the routes below /ekuiper read it.
 */
import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";

/** A query without its question mark, such as `model=efficientnet_lite0&crop=center&min=0.4`. */
export const LABEL_QUERY_HEADER = "x-label-query";

/**
 * The request's parameters, those of the header among them. A parameter that both have is there twice, which is the same
 * mistake as twice in a query; names and values are for parseQuery() to check.
 *
 * @returns Every value of every parameter.
 */
export function headerAndQuery(c: Context<AppEnv>): Record<string, string[]> {
  const header = c.req.header(LABEL_QUERY_HEADER);
  const queries = c.req.queries();
  if (header === undefined) return queries;
  const all = new Map(Object.entries(queries));
  for (const [name, value] of new URLSearchParams(header)) all.set(name, [...(all.get(name) ?? []), value]);
  return Object.fromEntries(all);
}
