/** GET /results: the labels of images that were handed over. GET /push: how far the push targets are. */
import { Hono } from "hono";
import * as z from "zod/mini";
import "../schema-messages.ts";
import { LabelerError } from "../errors.ts";
import { resultsOf } from "../http/results-object.ts";
import { type AppEnv, settingsOf } from "../http/settings.ts";
import { parseCursor } from "../results/result.ts";

const cursor = z.pipe(
  z
    .string()
    .check(
      z.refine((text) => parseCursor(text) !== undefined, "must be 0, or the `next` of a row that was read before"),
    ),
  z.transform((text) => parseCursor(text) ?? 0),
);

const schema = z.strictObject({
  /** Only what is behind this row. */
  since: z.optional(cursor),
  /** Only what is before this row. */
  before: z.optional(cursor),
  /** How many rows at most. */
  limit: z._default(
    z
      .pipe(z.string().check(z.regex(/^\d+$/, "must be a whole number")), z.coerce.number())
      .check(z.gte(1, "must be at least 1"), z.lte(1000, "must be at most 1000")),
    100,
  ),
  /** Only what came from this device. */
  device: z.optional(z.string()),
  order: z._default(z.enum(["oldest", "newest"]), "oldest"),
});

/** @throws LabelerError of kind bad-parameter. */
function parse(query: Record<string, string>) {
  const { success, data, error } = z.safeParse(schema, query);
  if (success) return data;
  const issue = error.issues[0];
  if (issue?.code === "unrecognized_keys") {
    const names = Object.keys(schema.shape).join(", ");
    throw new LabelerError("bad-parameter", `There is no parameter ${issue.keys.join(", ")}. There are: ${names}.`);
  }
  throw new LabelerError("bad-parameter", `${issue?.path.join(".")}: ${issue?.message}.`);
}

/** Oldest first behind the cursor `since`: the `next` of the last row is the `since` of the next call. */
export const results = new Hono<AppEnv>()
  .get("/", async (c) => c.json(await resultsOf(c.env).list(parse(c.req.query()))))
  .get("/:id", async (c) => {
    const id = c.req.param("id");
    const found = await resultsOf(c.env).get(id);
    if (found !== null) return c.json(found);
    const { RESULTS_MAX_AGE_DAYS: age, RESULTS_MAX_COUNT: count } = settingsOf(c.env);
    throw new LabelerError(
      "not-found",
      `There is no result "${id}". The newest ${count} results are kept for ${age} days.`,
    );
  });

export const push = new Hono<AppEnv>().get("/", async (c) => c.json({ targets: await resultsOf(c.env).pushStatus() }));
