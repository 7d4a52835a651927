/** Where in a picture a model looks: all of it, the square in its middle, a rectangle, or several. Imports no image code. */
import * as z from "zod/mini";
import { FRACTIONS_FORM, type Fractions, fractionsOf, parseFractions } from "../image/fractions.ts";
import { MOST_CROPS } from "../image/layouts.ts";

/** The crops that have names. */
export const NAMED_CROPS = ["squash", "center"] as const;

/** `squash`: all of the picture, whatever its shape; `center`: the square in its middle; or a rectangle. */
export type Crop = (typeof NAMED_CROPS)[number] | Fractions;

/** A rectangle with a name, which is labelled for itself. */
export interface Region {
  readonly name: string;
  readonly crop: Fractions;
}

/** How many regions a picture may have: each is an inference. */
export const MOST_REGIONS = MOST_CROPS;

export const REGION_NAME = /^[\w.-]{1,64}$/;

const isNamedCrop = (text: string): text is (typeof NAMED_CROPS)[number] =>
  (NAMED_CROPS as readonly string[]).includes(text);

/** @returns Undefined for a text that is no crop. */
export const parseCrop = (text: string): Crop | undefined => (isNamedCrop(text) ? text : parseFractions(text));

/** As a query and a command line have it. */
export const cropParameter = z.pipe(
  z.string().check((payload) => {
    if (parseCrop(payload.value) !== undefined) return;
    const message = `must be squash, center, or a rectangle ${FRACTIONS_FORM}`;
    payload.issues.push({ code: "custom", message, input: payload.value });
  }),
  z.transform((text) => parseCrop(text) ?? "squash"),
);

const MISTAKE = `must be a rectangle ${FRACTIONS_FORM}, as a text or as a list of four numbers`;

const numbersOf = (value: unknown): readonly number[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === "number") ? value : undefined;

/** A rectangle in JSON: a text as in a query, or a list of its four numbers. */
function fractionsIn(value: unknown): Fractions | undefined {
  if (typeof value === "string") return parseFractions(value);
  const numbers = numbersOf(value);
  return numbers && fractionsOf(numbers);
}

/** As model.json has a rectangle. */
export const fractionsField = z.pipe(
  z.unknown().check((payload) => {
    if (fractionsIn(payload.value) !== undefined) return;
    payload.issues.push({ code: "custom", message: MISTAKE, input: payload.value });
  }),
  z.transform((value) => fractionsIn(value) ?? { x0: 0, y0: 0, x1: 1, y1: 1 }),
);

/** As model.json has a crop: squash, center, or a rectangle. */
export const cropField = z.pipe(
  z.unknown().check((payload) => {
    const { value } = payload;
    const crop = typeof value === "string" ? parseCrop(value) : fractionsIn(value);
    if (crop !== undefined) return;
    payload.issues.push({ code: "custom", message: MISTAKE.replace("be a", "be squash, center, or a"), input: value });
  }),
  z.transform((value): Crop => (typeof value === "string" ? parseCrop(value) : fractionsIn(value)) ?? "squash"),
);

/**
 * The names in the order in which a text of JSON has the fields of an object: JavaScript puts names that are numbers
 * before all others. The object has no others in it.
 */
export function orderInText(text: string, field: string, names: readonly string[]): readonly string[] {
  const [, inside = ""] = new RegExp(`"${field}"\\s*:\\s*\\{([^{}]*)\\}`).exec(text) ?? [];
  const found = [...inside.matchAll(/"([\w.-]+)"\s*:/g)].map(([, name]) => name ?? "");
  return found.length === names.length && names.every((name) => found.includes(name)) ? found : names;
}
