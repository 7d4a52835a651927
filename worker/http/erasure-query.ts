/** The query parameters of DELETE /results, which select what is erased. */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { parseCursor, type Selection } from "../results/result.ts";
import { parseStrictly } from "./parse-query.ts";

/** A date alone is its midnight in UTC. Other texts that Date reads, such as a year, are not what a caller may mean. */
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d.*)?$/;

/** A cursor has its letter here: of a number alone, nobody can tell whether it is one or a time. */
function parseEnd(text: string): Pick<Selection, "before" | "takenBefore"> | undefined {
  if (text.startsWith("r")) {
    const before = parseCursor(text);
    return before === undefined ? undefined : { before };
  }
  const time = new Date(TIME.test(text) ? text : Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : { takenBefore: time.toISOString() };
}

/** What DELETE /results takes. */
export const erasureQuery = z.strictObject({
  /** Only what came from this device. */
  device: z.optional(z.string().check(z.minLength(1, "must not be empty"))),
  /** Only what is before this row, or was taken before this time. */
  before: z.optional(
    z
      .string()
      .check(
        z.refine(
          (text) => parseEnd(text) !== undefined,
          "must be a time such as 2026-11-24T12:00:00Z, a date such as 2026-11-24, or the `next` of a row",
        ),
      ),
  ),
});

/** @throws LabelerError of kind bad-parameter, also if nothing is selected: a call without parameters would erase all. */
export function parseErasureQuery(queries: Record<string, string[]>): {
  readonly query: z.infer<typeof erasureQuery>;
  readonly selection: Selection;
} {
  const query = parseStrictly(erasureQuery, queries);
  const { device, before } = query;
  if (device === undefined && before === undefined) {
    throw new LabelerError(
      "bad-parameter",
      "Select what to erase by device, before, or both. To erase all results, give a time in the future as before.",
    );
  }
  return { query, selection: { device, ...(before !== undefined && parseEnd(before)) } };
}
