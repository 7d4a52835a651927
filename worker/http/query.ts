/** The query parameters of the calls that label. */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { SCALES } from "../image/scale-name.ts";
import { cropParameter } from "../model/crop.ts";
import { PRECISIONS } from "../model/precision-name.ts";
import { parseRegion, type RegionChoice } from "../model/regions.ts";
import { numberParameter } from "./number-parameter.ts";
import { parseStrictly } from "./parse-query.ts";

const regionParameter = z.pipe(
  z.string().check((payload) => {
    const region = parseRegion(payload.value);
    if (typeof region === "string") payload.issues.push({ code: "custom", message: region, input: payload.value });
  }),
  z.transform((text) => {
    const region = parseRegion(text);
    return typeof region === "string" ? { name: text } : region;
  }),
);

/** The parameters that may be given more than once. */
export const REPEATABLE: readonly string[] = ["region"];

/** What /label and the calls like it take. */
export const labelQuery = z.strictObject({
  /** How many labels at most. */
  top: z._default(numberParameter(z.int("must be a whole number"), z.gte(1, "must be at least 1")), 5),
  /** The least confidence of a label. */
  min: z._default(numberParameter(z.lte(1, "must be between 0 and 1")), 0),
  /** The folder of the model in model-assets/; the default model if absent. */
  model: z.optional(z.string()),
  /** How the image becomes the model's input shape; as model.json says if absent. */
  crop: z.optional(cropParameter),
  /** Rectangles that are labelled one by one, NAME:x0,y0,x1,y1, or the names of the model's; all of those if absent. */
  region: z.optional(z.array(regionParameter)),
  /** Which arithmetic; as model.json says if absent. Not every model can have each: see precisionFor(). */
  precision: z.optional(z.enum(PRECISIONS)),
  /** Whether a JPEG may be decoded at a smaller scale; `full` with the precision `exact` if absent, else `auto`. */
  scale: z.optional(z.enum(SCALES)),
  /** Whether the orientation that a camera wrote into the file is applied. */
  exif: z._default(z.enum(["apply", "ignore"]), "apply"),
});

type Parsed<T extends z.ZodMiniObject> = Omit<z.infer<T>, "region"> & {
  readonly regions?: readonly RegionChoice[] | undefined;
};

export type LabelQuery = Parsed<typeof labelQuery>;

const withRegions = <T extends { region?: readonly RegionChoice[] | undefined }>({ region, ...query }: T) => ({
  ...query,
  regions: region,
});

/** What /label takes: also which label is to be explained, by its rank. */
export const explainQuery = z.extend(labelQuery, {
  explain: z.optional(
    numberParameter(
      z.int("must be a whole number"),
      z.gte(1, "must be 1 for the top-1 label, 2 for the second, and so on"),
    ),
  ),
});

/** What /features takes: which parts of the features it answers with. */
export const featuresQuery = z.extend(z.omit(labelQuery, { top: true, min: true, region: true }), {
  parts: z._default(z.enum(["pooled", "all"]), "pooled"),
});

export type FeaturesQuery = z.infer<typeof featuresQuery>;

export type ExplainQuery = Parsed<typeof explainQuery>;

/**
 * @param queries Every value of every parameter.
 * @throws LabelerError of kind bad-parameter that names the parameter and what is allowed.
 */
export const parseQuery = (queries: Record<string, string[]>): LabelQuery =>
  withRegions(parseStrictly(labelQuery, queries, REPEATABLE));

/** As parseQuery(), of /label. */
export function parseExplainQuery(queries: Record<string, string[]>): ExplainQuery {
  const query = withRegions(parseStrictly(explainQuery, queries, REPEATABLE));
  if (query.explain === undefined || query.explain <= query.top) return query;
  throw new LabelerError("bad-parameter", `explain: must be at most top, which is ${query.top}.`);
}

/**
 * As parseQuery(), where the model is named in the path.
 *
 * @throws LabelerError of kind bad-parameter.
 */
export function modelQuery(queries: Record<string, string[]>, model: string): LabelQuery & { model: string } {
  if (queries.model !== undefined) {
    throw new LabelerError("bad-parameter", "model: is in the path already; leave the parameter out.");
  }
  return { ...parseQuery(queries), model };
}
