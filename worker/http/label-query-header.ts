/**
 * Parameters in a header, for functions of eKuiper: a function calls a fixed address, to which eKuiper appends the name of
 * the function, so that it cannot have a query. Only the routes below /ekuiper read this header.
 */
import type { Context } from "hono";
import type { AppEnv } from "./app-env.ts";

/** A query without its question mark, such as `model=efficientnet_lite0&crop=center&min=0.4`. */
export const LABEL_QUERY_HEADER = "x-label-query";

/**
 * The parameters of a request, including those of the header. A parameter that is in both appears twice, which parseQuery()
 * refuses, as it does in a query.
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
