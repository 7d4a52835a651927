/** Query parameters checked against a schema. */
import type * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { listNames } from "../validation/quote.ts";
import { checkSchema } from "../validation/schema-messages.ts";

/** The one value of each parameter, and all values of those that may be repeated. */
function valuesOf(
  queries: Readonly<Record<string, readonly string[]>>,
  repeatable: readonly string[],
): Record<string, string | readonly string[] | undefined> {
  const values: Record<string, string | readonly string[] | undefined> = {};
  for (const [name, all] of Object.entries(queries)) {
    if (repeatable.includes(name)) {
      values[name] = all;
      continue;
    }
    if (all.length > 1) throw new LabelerError("bad-parameter", `${name} is given ${all.length} times; give it once.`);
    values[name] = all[0];
  }
  return values;
}

/**
 * @param queries Every value of every parameter.
 * @param repeatable The parameters that may be given more than once.
 * @throws LabelerError of kind bad-parameter that names each wrong parameter and what is allowed.
 */
export function parseStrictly<T extends z.ZodMiniObject>(
  schema: T,
  queries: Readonly<Record<string, readonly string[]>>,
  repeatable: readonly string[] = [],
): z.infer<T> {
  // Not left to the schema, for which the values are copied: __proto__ would not become a field of the copy.
  const unknown = Object.keys(queries).filter((name) => !Object.hasOwn(schema.shape, name));
  if (unknown.length === 0) {
    return checkSchema(
      schema,
      valuesOf(queries, repeatable),
      (faults) => new LabelerError("bad-parameter", `${faults}.`),
    );
  }
  const names = Object.keys(schema.shape).join(", ");
  throw new LabelerError("bad-parameter", `There is no parameter ${listNames(unknown)}. There are: ${names}.`);
}
