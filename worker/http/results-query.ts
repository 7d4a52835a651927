/** The query parameters of GET /results. */
import * as z from "zod/mini";
import "../schema-messages.ts";
import { LabelerError } from "../errors.ts";
import { parseCursor } from "../results/result.ts";
import { numberParameter } from "./number-parameter.ts";

const cursor = z.pipe(
  z
    .string()
    .check(
      z.refine((text) => parseCursor(text) !== undefined, "must be 0, or the `next` of a row that was read before"),
    ),
  z.transform((text) => parseCursor(text) ?? 0),
);

/** What GET /results takes. */
export const resultsQuery = z.strictObject({
  /** Only what is behind this row. */
  since: z.optional(cursor),
  /** Only what is before this row. */
  before: z.optional(cursor),
  /** How many rows at most. */
  limit: z._default(
    numberParameter(
      z.int("must be a whole number"),
      z.gte(1, "must be at least 1"),
      z.lte(1000, "must be at most 1000"),
    ),
    100,
  ),
  /** Only what came from this device. */
  device: z.optional(z.string()),
  order: z._default(z.enum(["oldest", "newest"]), "oldest"),
});

/** @throws LabelerError of kind bad-parameter. */
export function parseResultsQuery(query: Record<string, string>) {
  const { success, data, error } = z.safeParse(resultsQuery, query);
  if (success) return data;
  const issue = error.issues[0];
  if (issue?.code === "unrecognized_keys") {
    const names = Object.keys(resultsQuery.shape).join(", ");
    throw new LabelerError("bad-parameter", `There is no parameter ${issue.keys.join(", ")}. There are: ${names}.`);
  }
  throw new LabelerError("bad-parameter", `${issue?.path.join(".")}: ${issue?.message}.`);
}
