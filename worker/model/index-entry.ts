/** model-assets/index.json: what is installed, written by scripts/build/model-index.ts since a Worker cannot list a folder. */
import { LabelerError } from "../errors.ts";
import { oneOf } from "../validation/words.ts";
import type { Crop, Region } from "./crop.ts";
import type { Layout } from "./layout.ts";
import type { Precision } from "./precision-name.ts";

/** A model's folder. The fields after `error` are there when there is no error. */
export interface IndexEntry {
  /** The name of the folder. */
  readonly name: string;
  /** The model from which it derives, if it does: what computes it, and what is loaded, are the base's. */
  readonly base?: string;
  /** Which of the files that the Worker may need are there. */
  readonly files: readonly string[];
  /** Of model.tflite; of a derived model the base's. */
  readonly bytes: number;
  /** Of model.tflite, in hexadecimal; of a derived model the base's. */
  readonly sha256: string;
  /** Another one whenever one of the folder's files is, or of those of its base. */
  readonly version?: string;
  /** Why the folder is no model that can be used. */
  readonly error?: string;
  readonly description?: string;
  readonly input?: {
    readonly width: number;
    readonly height: number;
    readonly type: string;
    readonly layout: Layout;
    /** Of pixels 0..255, for red, green and blue; absent where the network takes them as they are. */
    readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  };
  readonly classes?: number;
  readonly crop?: Crop;
  /** Where it looks in place of `crop`, in the order of model.json. */
  readonly regions?: readonly Region[];
  /** What `precision` may be for this model. */
  readonly precisions?: readonly Precision[];
  /** What it is where the request does not say. */
  readonly precision?: Precision;
  /** What runs the network: a compiled plan, or tfjs operator by operator. */
  readonly engine?: "plan" | "tfjs";
  /** Why there is no plan, where there is none. */
  readonly noPlan?: string;
  /** How many values its features have: see /features. */
  readonly features?: number;
  /** Why it gives none, where a plan runs it. */
  readonly noFeatures?: string;
  /** What the network keeps in memory when it is loaded, in bytes, for each precision; an estimate. */
  readonly memory?: { readonly [precision in Precision]?: number };
  readonly source?: string;
  readonly licence?: string;
  /** What the operator should know of it, in sentences: a range that is a guess, labels that are missing. */
  readonly notes?: readonly string[];
}

/** What Cloudflare, and wrangler in its place, serve as one static file. workerd on a machine of one's own has no limit. */
export const MAX_ASSET_BYTES = 25 << 20;

/** @returns Why the model cannot be had where Cloudflare or wrangler serve it, for its size; undefined if it can. */
export function tooLargeToDeploy({ name, base = name, bytes }: IndexEntry): string | undefined {
  if (bytes <= MAX_ASSET_BYTES) return undefined;
  const mebibytes = (count: number) => (count / 2 ** 20).toFixed(0);
  return (
    `${base}/model.tflite has ${mebibytes(bytes)} MiB, and Cloudflare and npm start serve ${mebibytes(MAX_ASSET_BYTES)} at ` +
    "most. Convert it with float16 weights or with quantisation, which halves or quarters it, or use npm run serve."
  );
}

/** @returns Why the model cannot be used on Cloudflare or in wrangler. */
export const whyNotDeployed = (entry: IndexEntry): string | undefined => entry.error ?? tooLargeToDeploy(entry);

export interface ModelIndex {
  readonly models: readonly IndexEntry[];
}

/**
 * The precision that a request gets.
 *
 * @param asked What it asks for, if it does.
 * @throws LabelerError of kind bad-parameter that names those that the model can have.
 */
export function precisionFor({ name, precisions, precision }: IndexEntry, asked: Precision | undefined): Precision {
  // A model that cannot be used has none: its load says why.
  if (precisions === undefined || asked === undefined) return precision ?? asked ?? "exact";
  if (precisions.includes(asked)) return asked;
  throw new LabelerError("bad-parameter", `precision: the model "${name}" can be ${oneOf(precisions)}, not ${asked}.`);
}
