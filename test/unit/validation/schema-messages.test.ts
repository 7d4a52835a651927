/** The messages about values that do not fit their schema. */
import { expect, it } from "vitest";
import * as z from "zod/mini";
import { checkSchema } from "../../../worker/validation/schema-messages.ts";

const schema = z.strictObject({
  name: z.string().check(z.minLength(1)),
  count: z.int().check(z.gte(1), z.lte(9)),
  kind: z.enum(["a", "b", "c"]),
  scale: z.union([z.number(), z.tuple([z.number(), z.number()])]),
  items: z.array(z.strictObject({ on: z.boolean() })).check(z.minLength(1)),
});
const good = { name: "x", count: 1, kind: "a", scale: 1, items: [{ on: true }] };

function faults(value: unknown): string {
  try {
    checkSchema(schema, value, (faults) => new Error(faults));
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
}

it.each([
  [{}, "none"],
  [{ name: undefined }, "name: is missing"],
  [{ name: 7 }, "name: must be a string"],
  [{ name: "" }, "name: must have at least 1 character"],
  [{ count: 1.5 }, "count: must be a whole number"],
  [{ count: 0 }, "count: must be at least 1"],
  [{ count: 10 }, "count: must be at most 9"],
  [{ kind: "d" }, "kind: must be a, b or c"],
  [{ scale: undefined }, "scale: is missing"],
  [{ scale: "1" }, "scale: must be a number or must be a list"],
  [{ items: {} }, "items: must be a list"],
  [{ items: [] }, "items: must have at least 1 item"],
  [{ items: [{ on: 1 }] }, "items.0.on: must be a boolean"],
  [{ extra: 1 }, "as a whole: there is no field extra"],
  [
    { name: 7, count: 0, kind: "d", items: 1 },
    "name: must be a string; count: must be at least 1; kind: must be a, b or c",
  ],
])("%j", (changes, message) => {
  expect(faults({ ...good, ...changes })).toBe(message);
});

it("a whole that is no object", () => {
  expect(faults(7)).toBe("as a whole: must be an object");
});
