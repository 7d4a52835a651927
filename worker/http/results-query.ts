/** The query parameters of GET /results. */
import * as z from "zod/mini";
import { parseCursor } from "../results/result.ts";
import { numberParameter } from "./number-parameter.ts";
import { parseStrictly } from "./parse-query.ts";

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
export const parseResultsQuery = (queries: Record<string, string[]>) => parseStrictly(resultsQuery, queries);
