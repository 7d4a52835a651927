/**
 * The part of a picture that a model sees: all of it, the central square, a rectangle, or several. Imports no image
 * code.
 */
import * as z from "zod/mini";
import { FRACTIONS_FORM, type Fractions, fractionsOf, parseFractions } from "../image/fractions.ts";
import { MOST_CROPS } from "../image/layouts.ts";

/** The named crops. */
export const NAMED_CROPS = ["squash", "center"] as const;

/** `squash`: the whole picture, whatever its shape; `center`: the central square; or a rectangle. */
export type Crop = (typeof NAMED_CROPS)[number] | Fractions;

/** A rectangle with a name, which is labelled separately. */
export interface Region {
  readonly name: string;
  readonly crop: Fractions;
}

/** The most regions of a picture: each is an inference. */
export const MOST_REGIONS = MOST_CROPS;

export const REGION_NAME = /^[\w.-]{1,64}$/;

const isNamedCrop = (text: string): text is (typeof NAMED_CROPS)[number] =>
  (NAMED_CROPS as readonly string[]).includes(text);

/** @returns Undefined for a text that is not a crop. */
export const parseCrop = (text: string): Crop | undefined => (isNamedCrop(text) ? text : parseFractions(text));

/** A crop as written in a query or on a command line. */
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

/** A rectangle in JSON: a string as in a query, or a list of its four numbers. */
function fractionsIn(value: unknown): Fractions | undefined {
  if (typeof value === "string") return parseFractions(value);
  const numbers = numbersOf(value);
  return numbers && fractionsOf(numbers);
}

/** A rectangle as written in model.json. */
export const fractionsField = z.pipe(
  z.unknown().check((payload) => {
    if (fractionsIn(payload.value) !== undefined) return;
    payload.issues.push({ code: "custom", message: MISTAKE, input: payload.value });
  }),
  z.transform((value) => fractionsIn(value) ?? { x0: 0, y0: 0, x1: 1, y1: 1 }),
);

/** A crop as written in model.json: squash, center, or a rectangle. */
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
 * The names in the order in which a JSON text has the fields of an object: JavaScript puts names that are numbers
 * before all others. The object must not contain other objects.
 */
export function orderInText(text: string, field: string, names: readonly string[]): readonly string[] {
  const [, inside = ""] = new RegExp(`"${field}"\\s*:\\s*\\{([^{}]*)\\}`).exec(text) ?? [];
  const found = [...inside.matchAll(/"([\w.-]+)"\s*:/g)].map(([, name]) => name ?? "");
  return found.length === names.length && names.every((name) => found.includes(name)) ? found : names;
}
