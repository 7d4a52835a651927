/** Query parameters held against a schema. */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { faultsOf } from "../validation/schema-messages.ts";

/** @throws LabelerError of kind bad-parameter that names each wrong parameter and what is allowed. */
export function parseStrictly<T extends z.ZodMiniObject>(
  schema: T,
  query: Readonly<Record<string, string | undefined>>,
): z.infer<T> {
  const { success, data, error } = z.safeParse(schema, query);
  if (success) return data;
  const unknown = error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
  if (unknown.length === 0) throw new LabelerError("bad-parameter", `${faultsOf(error)}.`);
  const names = Object.keys(schema.shape).join(", ");
  throw new LabelerError("bad-parameter", `There is no parameter ${unknown.join(", ")}. There are: ${names}.`);
}
