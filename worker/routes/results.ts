/** /results: the labels of images that were submitted. /push: how far the push targets are, and trying them again. */
import { Hono } from "hono";
import { LabelerError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { resultsOf } from "../http/results-object.ts";
import { parseResultsQuery } from "../http/results-query.ts";
import { requires } from "../http/scopes.ts";
import { settingsOf } from "../settings/settings.ts";
import { quote } from "../validation/quote.ts";

/** Oldest first behind the cursor `since`: the `next` of the last row is the `since` of the next call. */
export const results = new Hono<AppEnv>()
  .get("/", requires("results"), async (c) => c.json(await resultsOf(c.env).list(parseResultsQuery(c.req.queries()))))
  .get("/:id", requires("results"), async (c) => {
    const id = c.req.param("id");
    const found = await resultsOf(c.env).get(id);
    if (found !== null) return c.json(found);
    const { RESULTS_MAX_AGE_DAYS: age, RESULTS_MAX_COUNT: count } = settingsOf(c.env);
    throw new LabelerError(
      "not-found",
      `There is no result ${quote(id)}. The newest ${count} results are kept for ${age} days.`,
    );
  });

export const push = new Hono<AppEnv>()
  .get("/", requires("results"), async (c) => c.json({ targets: await resultsOf(c.env).pushStatus() }))
  .post("/retry", requires("results"), async (c) => c.json({ targets: await resultsOf(c.env).retryPush() }));
