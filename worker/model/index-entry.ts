/**
 * model-assets/index.json: the installed models, written by scripts/build/model-index.ts since a Worker cannot list a
 * folder.
 */
import { LabelerError } from "../errors.ts";
import { oneOf } from "../validation/words.ts";
import type { Crop, Region } from "./crop.ts";
import type { Layout } from "./layout.ts";
import type { Precision } from "./precision-name.ts";

/** The entry of a model's folder. The fields after `error` are present unless there is an error. */
export interface IndexEntry {
  /** The name of the folder. */
  readonly name: string;
  /** The base of a derived model, which provides the loaded network. */
  readonly base?: string;
  /** The version of the base to which a derived model belongs. */
  readonly baseVersion?: string;
  /** The files that the Worker may need, by their paths in the folder of models, with the SHA-256 of each. */
  readonly files: Readonly<Record<string, string>>;
  /** The size of model.tflite; for a derived model that of the base's. */
  readonly bytes: number;
  /** The SHA-256 of model.tflite, in hexadecimal; for a derived model that of the base's. */
  readonly sha256: string;
  /** Changes whenever a file of the folder, or of the base's folder, changes. */
  readonly version?: string;
  /** Why the folder does not contain a usable model. */
  readonly error?: string;
  /** Whether its files changed a moment ago, so that the error may pass: files are still being copied. */
  readonly changing?: boolean;
  readonly description?: string;
  readonly input?: {
    readonly width: number;
    readonly height: number;
    readonly type: string;
    readonly layout: Layout;
    /** For pixels 0..255, in the order red, green, blue; absent if the network takes pixels unchanged. */
    readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  };
  readonly classes?: number;
  readonly crop?: Crop;
  /** The regions that are labelled instead of `crop`, in the order of model.json. */
  readonly regions?: readonly Region[];
  /** Whether each region has a taught head of its own: other regions cannot be labelled. */
  readonly headPerRegion?: true;
  /** The values of `precision` that this model supports. */
  readonly precisions?: readonly Precision[];
  /** The default precision, for requests that do not name one. */
  readonly precision?: Precision;
  /** What runs the network: a compiled plan, or tfjs operator by operator. */
  readonly engine?: "plan" | "tfjs";
  /** Why the network cannot be compiled to a plan, if so. */
  readonly noPlan?: string;
  /** The number of values of the model's features: see /features. */
  readonly features?: number;
  /** Why it does not give features although a plan runs it. */
  readonly noFeatures?: string;
  /** The memory of the loaded network, in bytes, for each precision; an estimate. */
  readonly memory?: { readonly [precision in Precision]?: number };
  readonly source?: string;
  readonly licence?: string;
  /** Notes for the operator, in sentences: a guessed range, missing labels. */
  readonly notes?: readonly string[];
}

/**
 * The largest static file that Cloudflare, and wrangler locally, serve. workerd on your own machine does not have a
 * limit.
 */
export const MAX_ASSET_BYTES = 25 << 20;

/** @returns Why Cloudflare or wrangler cannot serve the model, because of its size; undefined if they can. */
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
 * The precision of a request.
 *
 * @param asked The precision that the request names, if it does.
 * @throws LabelerError of kind bad-parameter that names the precisions that the model supports.
 */
export function precisionFor({ name, precisions, precision }: IndexEntry, asked: Precision | undefined): Precision {
  // A model that cannot be used does not list precisions: loading it throws the reason.
  if (precisions === undefined || asked === undefined) return precision ?? asked ?? "exact";
  if (precisions.includes(asked)) return asked;
  throw new LabelerError("bad-parameter", `precision: the model "${name}" can be ${oneOf(precisions)}, not ${asked}.`);
}
