/** /results: the labels of images that were submitted. /push: how far the push targets are, and trying them again. */
import { type Context, Hono } from "hono";
import { LabelerError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { parseErasureQuery } from "../http/erasure-query.ts";
import { resultsOf } from "../http/results-object.ts";
import { parseResultsQuery } from "../http/results-query.ts";
import { requires } from "../http/scopes.ts";
import type { Erasure } from "../observability/trace.ts";
import type { Selection } from "../results/result.ts";
import { settingsOf } from "../settings/settings.ts";
import { quote } from "../validation/quote.ts";

/** Erases results, and records it for the log as it proceeds. @returns How many there were. */
async function erase(c: Context<AppEnv>, named: Omit<Erasure, "count">, selection: Selection): Promise<number> {
  const erasure: Erasure = { ...named, count: 0 };
  const trace = c.get("trace");
  if (trace !== undefined) trace.erasure = erasure;
  await resultsOf(c.env).erase(selection, (count) => {
    erasure.count += count;
  });
  return erasure.count;
}

function notFound(c: Context<AppEnv>, id: string): LabelerError {
  const { RESULTS_MAX_AGE_DAYS: age, RESULTS_MAX_COUNT: count } = settingsOf(c.env);
  return new LabelerError(
    "not-found",
    `There is no result ${quote(id)}. The newest ${count} results are kept for ${age} days.`,
  );
}

/** Oldest first behind the cursor `since`: the `next` of the last row is the `since` of the next call. */
export const results = new Hono<AppEnv>()
  .get("/", requires("results"), async (c) => c.json(await resultsOf(c.env).list(parseResultsQuery(c.req.queries()))))
  .delete("/", requires("admin"), async (c) => {
    const { query, selection } = parseErasureQuery(c.req.queries());
    return c.json({ erased: await erase(c, query, selection) });
  })
  .get("/:id", requires("results"), async (c) => {
    const id = c.req.param("id");
    const found = await resultsOf(c.env).get(id);
    if (found !== null) return c.json(found);
    throw notFound(c, id);
  })
  .delete("/:id", requires("admin"), async (c) => {
    const id = c.req.param("id");
    const erased = await erase(c, { image: id }, { id });
    if (erased === 0) throw notFound(c, id);
    return c.json({ erased });
  });

export const push = new Hono<AppEnv>()
  .get("/", requires("results"), async (c) => c.json({ targets: await resultsOf(c.env).pushStatus() }))
  .post("/retry", requires("results"), async (c) => c.json({ targets: await resultsOf(c.env).retryPush() }));
