/** The messages about values that do not fit their schema. Each continues after the field's name: "top: must be a number". */
import * as z from "zod/mini";
import { LONG_TEXT, LongText } from "./long-text.ts";
import { cut, listNames } from "./quote.ts";
import { group, oneOf } from "./words.ts";

const NAMES: Readonly<Record<string, string>> = {
  int: "a whole number",
  object: "an object",
  record: "an object",
  array: "a list",
  tuple: "a list",
};

/**
 * "must have at least 2 items" for a string or an array, "must be at least 2" for a number.
 *
 * @param side Such as "at least".
 */
function bound(origin: string, side: string, limit: number | bigint): string {
  const unit = { string: "character", array: "item" }[origin];
  if (unit === undefined) return `must be ${side} ${limit}`;
  return `must have ${side} ${limit} ${unit}${Number(limit) === 1 ? "" : "s"}`;
}

function messageOf(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return "is missing";
  if (issue.input instanceof LongText) return `must have at most ${group(LONG_TEXT)} bytes`;
  switch (issue.code) {
    case "invalid_type":
      return `must be ${NAMES[issue.expected] ?? `a ${issue.expected}`}`;
    case "invalid_value":
      return `must be ${oneOf(issue.values.map(String))}`;
    case "too_small":
      return bound(issue.origin, "at least", issue.minimum);
    case "too_big":
      return bound(issue.origin, "at most", issue.maximum);
    case "unrecognized_keys":
      return `there is no field ${listNames(issue.keys)}`;
    case "invalid_union":
      return oneOf([...new Set(issue.errors.flatMap(([first]) => first?.message ?? []))]);
    default:
      return "is not valid";
  }
}

// zod/mini alone only says "Invalid input", and its own texts are a language's whole file.
z.config({ localeError: messageOf });

/** A caller fixes a few faults at a time. */
const MOST = 3;

/** `FIELD: what is wrong` for the first few fields. */
const faultsOf = ({ issues }: z.core.$ZodError): string =>
  issues
    .slice(0, MOST)
    .map(({ path, message }) => `${cut(path.join(".")) || "as a whole"}: ${message}`)
    .join("; ");

/**
 * Checks a value against a schema.
 *
 * @param refuse Makes the error of its faults, such as "top: must be a number; min: is missing".
 * @returns What the schema makes of the value.
 * @example checkSchema(labelQuery, values, (faults) => new LabelerError("bad-parameter", `${faults}.`));
 */
export function checkSchema<T extends z.ZodMiniType>(
  schema: T,
  value: unknown,
  refuse: (faults: string) => Error,
): z.infer<T> {
  const { success, data, error } = z.safeParse(schema, value);
  if (success) return data;
  throw refuse(faultsOf(error));
}
