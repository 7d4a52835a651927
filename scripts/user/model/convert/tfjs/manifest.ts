/**
 * The weights of a TensorFlow.js model: a manifest in model.json, and binary files beside it.
 * Format: tfjs-core/src/io/types.ts, WeightsManifestConfig.
 */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import { jsonOf, listOf } from "../config.ts";
import { ConversionError } from "../errors.ts";
import type { Weight } from "../layers/layer.ts";
import { typeOf } from "./weight-types.ts";

/** Reads a file beside model.json. @returns Undefined if there is none. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

/** Of what is skipped. */
const TEXTS = {
  bytesEach: 0,
  read(): never {
    throw new ConversionError("The network computes with texts, which is not supported.");
  },
};

/** A path that stays in the folder of model.json. */
const isBeside = (path: string): boolean =>
  /^[^/\\:][^\\:]*$/.test(path) && !path.includes("\0") && !path.split("/").includes("..");

async function shard(path: unknown, read: ReadFile): Promise<Uint8Array> {
  if (typeof path !== "string" || !isBeside(path)) {
    throw new ConversionError(
      `model.json names the file ${JSON.stringify(path ?? null).slice(0, 80)}, which is not beside it.`,
    );
  }
  const bytes = await read(path);
  if (bytes !== undefined) return bytes;
  throw new ConversionError(`${path} is missing, in which model.json has its weights: put it beside model.json.`);
}

const shapeOf = (value: unknown): readonly number[] => {
  const shape = listOf(value, "the shape of a weight");
  if (shape.every((dim): dim is number => Number.isSafeInteger(dim) && (dim as number) >= 0)) return shape;
  throw new ConversionError("The manifest of model.json has a weight whose shape is not one.");
};

/** How many bytes texts take, each of which has its length before it. @returns NaN if they are cut short. */
function lengthOfTexts(bytes: Uint8Array, count: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) return Number.NaN;
    at += 4 + view.getUint32(at, true);
  }
  return at;
}

/** The weights of a group, whose files hold one behind the other. */
async function readGroup(group: unknown, read: ReadFile): Promise<readonly (readonly [string, Weight])[]> {
  const { paths, weights } = jsonOf(group, "a group of weights");
  const parts: Uint8Array[] = [];
  for (const path of listOf(paths, "the files of a group")) parts.push(await shard(path, read));
  const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : new Uint8Array(Buffer.concat(parts));
  let offset = 0;
  return listOf(weights, "the weights of a group").map((given) => {
    const entry = jsonOf(given, "a weight");
    const shape = shapeOf(entry.shape);
    // Graphs may have names of classes, with which no classifier computes.
    const isText = entry.dtype === "string";
    const { bytesEach, read: values } = isText ? TEXTS : typeOf(entry);
    const count = sizeOf(shape);
    const length = isText ? lengthOfTexts(bytes.subarray(offset), count) : count * bytesEach;
    const [begin, end] = [offset, offset + length];
    if (!(end <= bytes.length)) {
      throw new ConversionError(
        `The weights end within "${String(entry.name ?? "").slice(0, 80)}": ${bytes.length} bytes are there. Download the files of the ` +
          "model again.",
      );
    }
    offset = end;
    return [String(entry.name ?? ""), { shape, values: () => values(bytes.subarray(begin, end)) }] as const;
  });
}

/**
 * @param manifest weightsManifest of model.json.
 * @returns The weights by name.
 * @throws ConversionError with the reason if they cannot be read.
 */
export async function readWeights(manifest: unknown, read: ReadFile): Promise<ReadonlyMap<string, Weight>> {
  const weights = new Map<string, Weight>();
  for (const group of listOf(manifest, "weightsManifest")) {
    for (const [name, weight] of await readGroup(group, read)) weights.set(name, weight);
  }
  return weights;
}
