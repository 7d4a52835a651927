/** The answer of the Open Inference Protocol: JSON, and with the binary extension the outputs' bytes behind it. */
import { LabelerError } from "../errors.ts";
import { quote } from "../validation/quote.ts";
import type { Inference, WantedOutput } from "./request.ts";

/** What every model gives here, for N images. */
export const OUTPUTS = ["labels", "confidences", "probabilities"] as const;
/** Returned where a request names it, by models whose network has features. */
export const FEATURES = "features";
type OutputName = (typeof OUTPUTS)[number] | typeof FEATURES;

/** An output with its data still as they are. */
interface Tensor {
  readonly name: string;
  readonly datatype: "FP32" | "BYTES";
  readonly shape: readonly number[];
  readonly data: Float32Array | string[];
}

/** A label of an image, with its place among the classes: -1 for `unknown`. */
interface Ranked {
  readonly confidence: number;
  readonly label: string;
  readonly index: number;
}

export interface InferredImage {
  /** The probability of every class. */
  readonly probabilities: Float32Array;
  /** The best of them, best first; fewer than there are classes where some have no sufficient confidence. */
  readonly ranked: readonly Ranked[];
  /** A vector of length 1; absent if it was not requested. */
  readonly features?: Float32Array | undefined;
}

export interface Inferred {
  readonly images: readonly InferredImage[];
  readonly labels: readonly string[];
  /** How many labels an image at most. */
  readonly top: number;
}

/** The first `count` labels of each image, filled up with `empty` since a tensor has as many for each. */
function best<T>({ images }: Inferred, count: number, of: (label: Ranked) => T, empty: T): T[] {
  return images.flatMap(({ ranked }) =>
    Array.from({ length: count }, (_, rank) => {
      const label = ranked[rank];
      return label === undefined ? empty : of(label);
    }),
  );
}

/** A row of as many values for each image. */
function rows(name: OutputName, images: readonly Float32Array[], width: number): Tensor {
  const data = new Float32Array(images.length * width);
  for (const [at, values] of images.entries()) data.set(values, at * width);
  return { name, datatype: "FP32", shape: [images.length, width], data };
}

function tensorOf(inferred: Inferred, name: OutputName, classification: number | undefined): Tensor {
  const { images, labels, top } = inferred;
  const count = Math.min(classification ?? top, labels.length);
  const shape = [images.length, count];
  if (classification !== undefined) {
    const data = best(inferred, count, ({ confidence, index, label }) => `${confidence}:${index}:${label}`, "");
    return { name, datatype: "BYTES", shape, data };
  }
  if (name === "probabilities")
    return rows(
      name,
      images.map(({ probabilities }) => probabilities),
      labels.length,
    );
  if (name === FEATURES) {
    const features = images.map(({ features = new Float32Array() }) => features);
    return rows(name, features, features[0]?.length ?? 0);
  }
  if (name === "labels") return { name, datatype: "BYTES", shape, data: best(inferred, count, (one) => one.label, "") };
  return { name, datatype: "FP32", shape, data: new Float32Array(best(inferred, count, (one) => one.confidence, 0)) };
}

function bytesOf(data: Float32Array | string[]): Uint8Array {
  if (data instanceof Float32Array) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const texts = data.map((text) => new TextEncoder().encode(text));
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + 4 + text.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

const ALL = [...OUTPUTS, FEATURES] as const;

const isOutput = (name: string): name is OutputName => (ALL as readonly string[]).includes(name);

/** Whether an inference asks for features. */
export const wantsFeatures = ({ outputs }: Inference): boolean =>
  outputs?.some(({ name }) => name === FEATURES) ?? false;

/** @throws LabelerError of kind bad-body for an output that there is not. */
function chosen({ outputs, binary }: Inference): (WantedOutput & { name: OutputName })[] {
  if (outputs === undefined) return OUTPUTS.map((name) => ({ name, binary, classification: undefined }));
  return outputs.map(({ name, ...rest }) => {
    if (isOutput(name)) return { name, ...rest };
    throw new LabelerError("bad-body", `There is no output ${quote(name)}. There are: ${ALL.join(", ")}.`);
  });
}

export interface InferenceAnswer {
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** How many bytes of the body are JSON, if not all. */
  readonly jsonLength: number | undefined;
}

/**
 * Writes the answer.
 *
 * @throws LabelerError of kind bad-body for an output that there is not.
 */
export function answerOf(model: string, inference: Inference, inferred: Inferred): InferenceAnswer {
  const behind: Uint8Array[] = [];
  const outputs = chosen(inference).map(({ name, binary, classification }) => {
    const { data, ...tensor } = tensorOf(inferred, name, classification);
    if (!binary) return { ...tensor, data: [...data] };
    const bytes = bytesOf(data);
    behind.push(bytes);
    return { ...tensor, parameters: { binary_data_size: bytes.length } };
  });
  const { id } = inference;
  const json = JSON.stringify({ model_name: model, model_version: "1", id, outputs });
  if (behind.length === 0) return { body: json, jsonLength: undefined };
  const head = new TextEncoder().encode(json);
  const body = new Uint8Array(head.length + behind.reduce((sum, bytes) => sum + bytes.length, 0));
  body.set(head);
  let at = head.length;
  for (const bytes of behind) {
    body.set(bytes, at);
    at += bytes.length;
  }
  return { body, jsonLength: head.length };
}
