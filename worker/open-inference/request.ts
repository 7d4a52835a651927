/**
 * An inference request of the Open Inference Protocol: JSON, or with Triton's binary tensor data extension JSON and bytes
 * behind it. Knows nothing of models.
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { NumberList } from "../json/number-list.ts";
import { readJson } from "../json/read-json.ts";
import type { Execute } from "../runtime/execute.ts";
import type { Text } from "../validation/long-text.ts";
import { cut, listNames, quote } from "../validation/quote.ts";
import { checkSchema } from "../validation/schema-messages.ts";
import { isText } from "../validation/text.ts";
import { group } from "../validation/words.ts";
import { checkLengths, type Input, inferenceJsonLimits, inferenceRequest, MAX_JSON_TENSOR } from "./schema.ts";

/** The one input of a request, its data as bytes or as values. */
export type InputTensor = { readonly shape: readonly number[] } & (
  | { readonly datatype: "BYTES"; readonly data: readonly (Text | Uint8Array<ArrayBuffer>)[] }
  | { readonly datatype: "UINT8"; readonly data: Uint8Array }
  | { readonly datatype: "FP32"; readonly data: Float32Array }
);

export interface WantedOutput {
  readonly name: string;
  /** Whether its data shall stand behind the JSON. */
  readonly binary: boolean;
  /** Triton's classification extension: so many classes as text "confidence:index:label". */
  readonly classification: number | undefined;
}

export interface Inference {
  readonly id: string | undefined;
  readonly input: InputTensor;
  /** Undefined where all are wanted. */
  readonly outputs: readonly WantedOutput[] | undefined;
  /** Whether outputs that are not asked for by name shall be binary. */
  readonly binary: boolean;
}

/** The name of the one input that every model has here. */
export const INPUT = "image";

const bad = (detail: string, cause?: unknown) => new LabelerError("bad-body", detail, { cause });

const product = (shape: readonly number[]) => shape.reduce((all, dim) => all * dim, 1);

/** Which numbers a datatype takes, and how that is said. */
const NUMBERS = {
  UINT8: {
    bytes: 1,
    valid: (value: number) => Number.isInteger(value) && value >= 0 && value <= 255,
    rule: "UINT8 takes whole numbers from 0 to 255",
  },
  FP32: {
    bytes: 4,
    valid: (value: number) => Number.isFinite(Math.fround(value)),
    rule: "FP32 takes numbers that 32 bits can hold, neither NaN nor Infinity",
  },
} as const;

/** BYTES elements behind each other, each after its length as 32 bits, little endian; one more than `most` at the most. */
function elementsOf(bytes: Uint8Array<ArrayBuffer>, most: number): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const elements: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length && elements.length <= most; ) {
    const start = at + 4;
    const end = start + (start <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY);
    if (end > bytes.length) throw bad("The binary data of the input ends within an element.");
    elements.push(bytes.subarray(start, end));
    at = end;
  }
  if (elements.length > most) {
    throw new LabelerError(
      "too-many-images",
      `The input has more than ${most} images, which is the limit. Send fewer at once, or raise the setting MAX_IMAGES.`,
    );
  }
  return elements;
}

/** Values that are checked in one stretch: below a millisecond. */
const STRETCH = 64 << 10;

async function checkFinite(values: Float32Array, execute: Execute): Promise<void> {
  for (let start = 0; start < values.length; start += STRETCH) {
    const part = values.subarray(start, start + STRETCH);
    const found = await execute(1, () => part.find((value) => !Number.isFinite(value)));
    if (found !== undefined) throw bad(`The binary data of the input has ${found} in it; ${NUMBERS.FP32.rule}.`);
  }
}

async function binaryTensor(
  { shape, datatype }: Input,
  bytes: Uint8Array<ArrayBuffer>,
  { maxImages, execute }: InferenceOptions,
): Promise<InputTensor> {
  if (datatype === "BYTES") return { shape, datatype, data: elementsOf(bytes, maxImages) };
  const size = product(shape) * NUMBERS[datatype].bytes;
  if (bytes.length !== size)
    throw bad(`The binary data has ${bytes.length} bytes, but the input's shape makes ${size}.`);
  if (datatype === "UINT8") return { shape, datatype, data: bytes };
  const data = new Float32Array(bytes.slice().buffer);
  await checkFinite(data, execute);
  return { shape, datatype, data };
}

async function readNumbers<T extends Uint8Array | Float32Array>(
  values: T,
  data: NumberList | readonly unknown[],
  { valid, rule }: (typeof NUMBERS)[keyof typeof NUMBERS],
  execute: Execute,
): Promise<T> {
  if (!(data instanceof NumberList)) {
    // Lists of numbers alone came as a NumberList.
    const [other] = data.flat(Number.POSITIVE_INFINITY).filter((value) => typeof value !== "number");
    if (other !== undefined) throw bad(`inputs.0.data has ${quote(other)} in it; ${rule}.`);
    throw bad(`inputs.0.data has empty lists in it, but its shape has ${values.length} values.`);
  }
  const { count, invalid } = await data.readInto(values, valid, execute).catch((error: unknown) => {
    if (!(error instanceof SyntaxError)) throw error;
    throw bad("inputs.0.data is not a valid list of numbers.", error);
  });
  if (invalid !== undefined) throw bad(`inputs.0.data has ${invalid} in it; ${rule}.`);
  if (count > values.length) throw bad(`inputs.0.data has more values than its shape, which has ${values.length}.`);
  if (count < values.length) throw bad(`inputs.0.data has ${count} values, but its shape has ${values.length}.`);
  return values;
}

/** @param limit How many values there may be, so that a shape alone takes no memory. */
async function jsonTensor(
  { shape, datatype, data = [] }: Input,
  limit: number,
  execute: Execute,
): Promise<InputTensor> {
  if (datatype === "BYTES") {
    const texts = data instanceof NumberList ? [] : data.flat(Number.POSITIVE_INFINITY);
    if (data instanceof NumberList || !texts.every(isText))
      throw bad("inputs.0.data of datatype BYTES takes images as texts in base64.");
    return { shape, datatype, data: texts };
  }
  const count = product(shape);
  if (count > limit) throw bad(`The input's shape has ${count} values; that is more than the body has bytes.`);
  const size = count * NUMBERS[datatype].bytes;
  if (size > MAX_JSON_TENSOR) {
    throw new LabelerError(
      "body-too-large",
      `The tensor in the JSON has ${group(size)} bytes and the limit is ${group(MAX_JSON_TENSOR)}. Send it with the binary tensor data extension.`,
    );
  }
  if (datatype === "UINT8")
    return { shape, datatype, data: await readNumbers(new Uint8Array(count), data, NUMBERS.UINT8, execute) };
  return { shape, datatype, data: await readNumbers(new Float32Array(count), data, NUMBERS.FP32, execute) };
}

export interface InferenceOptions {
  /** The setting MAX_IMAGES. */
  readonly maxImages: number;
  readonly execute: Execute;
}

/** How many bytes of a body are JSON. @param header Inference-Header-Content-Length; all if undefined. */
function jsonLengthOf(header: string | undefined, size: number): number {
  if (header === undefined) return size;
  const length = /^\d{1,15}$/.test(header) ? Number(header) : Number.NaN;
  if (length <= size) return length;
  throw bad(`Inference-Header-Content-Length is ${cut(header)}, but the body has ${size} bytes.`);
}

async function readRequest(json: Uint8Array, { maxImages, execute }: InferenceOptions) {
  const unchecked = await readJson(json, inferenceJsonLimits(maxImages), z.unknown(), execute);
  checkLengths(unchecked);
  return checkSchema(inferenceRequest, unchecked, (faults) => bad(`The inference request, ${faults}.`));
}

/**
 * Reads the body of an inference request.
 *
 * @param header Inference-Header-Content-Length, which says how many bytes of the body are JSON; all if undefined.
 * @throws LabelerError of kind bad-body that names the field and what is expected of it; body-too-large or
 *   too-many-images.
 */
export async function parseInference(
  body: Uint8Array<ArrayBuffer>,
  header: string | undefined,
  options: InferenceOptions,
): Promise<Inference> {
  const jsonLength = jsonLengthOf(header, body.length);
  const request = await readRequest(body.subarray(0, jsonLength), options);
  const [input, second] = request.inputs;
  if (input === undefined || second !== undefined || input.name !== INPUT) {
    const names = listNames(request.inputs.map(({ name }) => name));
    throw bad(`The model has one input, "${INPUT}"; the request has ${names}.`);
  }
  const binarySize = input.parameters?.binary_data_size;
  const behind = body.subarray(jsonLength);
  if (binarySize !== undefined && binarySize !== behind.length) {
    throw bad(
      `inputs.0.parameters.binary_data_size is ${quote(binarySize)}, but ${behind.length} bytes are behind the JSON.`,
    );
  }
  if (binarySize === undefined && input.data === undefined)
    throw bad('inputs.0 has neither "data" nor "binary_data_size".');
  const binary = request.parameters?.binary_data_output === true;
  return {
    id: request.id,
    input:
      binarySize === undefined
        ? await jsonTensor(input, body.length, options.execute)
        : await binaryTensor(input, behind, options),
    outputs: request.outputs?.map(({ name, parameters }) => {
      const { classification, binary_data = binary } = parameters ?? {};
      if (classification !== undefined && !(Number.isInteger(classification) && Number(classification) > 0)) {
        throw bad(`The output ${quote(name)}: classification must be a whole number above 0.`);
      }
      return {
        name,
        binary: binary_data === true,
        classification: classification === undefined ? undefined : Number(classification),
      };
    }),
    binary,
  };
}
