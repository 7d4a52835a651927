/**
 * The model.json of a derived model: it names a base instead of a model.tflite, and says how the base's scores are
 * used.
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { fractionsField, MOST_REGIONS, orderInText, REGION_NAME, type Region } from "./crop.ts";
import { FILE_NAME, MODEL_NAME } from "./names.ts";
import { COMMON_FIELDS, checkSpec, className, parseSpecJson, part } from "./spec.ts";

const fileName = z
  .string()
  .check(z.regex(FILE_NAME, "must be the name of a file in the model's folder: letters, digits, dots, dashes"));

const classNames = z.array(className).check(z.minLength(1));

const regionName = z.string().check(z.regex(REGION_NAME, "must have letters, digits, dots, dashes and underscores"));

const fields = {
  ...COMMON_FIELDS,
  /** The name of the model with the network: one with a model.tflite. `sha256` is that of its file. */
  base: z.string().check(z.regex(MODEL_NAME, "must be the name of a model")),
  /** Rectangles by their names, which are labelled one by one. */
  regions: z.optional(z.record(regionName, fractionsField)),
  /** The names of the classes in their order, instead of the base's; as labels.txt has them. */
  labels: z.optional(classNames),
  /** The file of a taught classifier head, which scores classes of its own; or a file for each region. */
  head: z.optional(z.union([fileName, z.record(regionName, fileName)])),
  /** Groups and their labels, whose confidences are summed: here, or in a file of this folder or else of the base's. */
  groups: z.optional(z.union([fileName, z.record(className, classNames)])),
  /** The labels, or groups, that may be returned; all if absent. */
  only: z.optional(classNames),
  /** The labels, or groups, that are left out. */
  not: z.optional(classNames),
  /** If the top-1 class has a lower confidence, the image is `unknown`. */
  unknown: z.optional(part),
} as const;

const schema = z.strictObject(fields);

export interface DerivedSpec extends Omit<z.infer<typeof schema>, "regions"> {
  /** The regions in the order of the text. */
  readonly regions?: readonly Region[] | undefined;
}

/** The fields that are only valid with a base. */
const DERIVED_FIELDS = Object.keys(fields).filter((name) => !(name in COMMON_FIELDS));

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === "object" && json !== null && !Array.isArray(json);

const refuse = (reason: string) => new LabelerError("model-unusable", `model.json, ${reason}.`);

/** @throws LabelerError unless each region has a head, where heads are named by region. */
function checkHeads({ head }: z.infer<typeof schema>, regions: readonly string[]): void {
  if (head === undefined || typeof head === "string") return;
  const strange = Object.keys(head).find((name) => !regions.includes(name));
  if (strange !== undefined) throw refuse(`head: there is no region "${strange}". Name a file for each region`);
  const without = regions.find((name) => !Object.hasOwn(head, name));
  if (without !== undefined) throw refuse(`head: the region "${without}" has none. Teach it, or name a file for it`);
}

/** Puts the regions in order. @throws LabelerError if there are none or too many, or a crop beside them. */
function withRegions({ regions, ...spec }: z.infer<typeof schema>, text: string): DerivedSpec {
  checkHeads(spec, Object.keys(regions ?? {}));
  if (regions === undefined) return spec;
  const names = Object.keys(regions);
  if (names.length === 0) throw refuse("regions: there are none. Leave the field out");
  if (names.length > MOST_REGIONS) throw refuse(`regions: there are ${names.length}; ${MOST_REGIONS} are allowed`);
  if (spec.crop !== undefined) throw refuse("crop: the model looks at its regions. Keep one of the two");
  const ordered = orderInText(text, "regions", names);
  return { ...spec, regions: ordered.map((name) => ({ name, crop: regions[name] ?? { x0: 0, y0: 0, x1: 1, y1: 1 } })) };
}

/**
 * Parses the text of a model.json as the specification of a derived model.
 *
 * @returns Undefined if it does not name a base, and so belongs to a model.tflite.
 * @throws LabelerError of kind model-unusable that names the field and what is expected of it.
 */
export function parseDerivedSpec(text: string): DerivedSpec | undefined {
  const json = parseSpecJson(text);
  if (!isObject(json)) return undefined;
  if (Object.hasOwn(json, "base")) return withRegions(checkSpec(schema, json), text);
  const lonely = DERIVED_FIELDS.find((name) => Object.hasOwn(json, name));
  if (lonely === undefined) return undefined;
  throw new LabelerError(
    "model-unusable",
    `model.json, ${lonely}: is for models that derive from another one. Put it into the model.json of a folder of its own, ` +
      `beside "base": the name of this model.`,
  );
}
