/**
 * An inference request of the Open Inference Protocol (KServe's V2, https://github.com/kserve/open-inference-protocol):
 * JSON, or with Triton's binary tensor data extension JSON and bytes behind it. Knows nothing of models.
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { faultsOf } from "../schema-messages.ts";

const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const shape = z.array(z.int().check(z.gte(0)));

const input = z.object({
  name: z.string(),
  shape,
  datatype: z.enum(["BYTES", "UINT8", "FP32"], "must be BYTES, UINT8 or FP32"),
  parameters: z.optional(parameters),
  /** Row by row, flat or nested as the shape is; absent where the bytes are behind the JSON. */
  data: z.optional(z.array(z.unknown())),
});

const output = z.object({ name: z.string(), parameters: z.optional(parameters) });

export const inferenceRequest = z.object({
  id: z.optional(z.string()),
  parameters: z.optional(parameters),
  inputs: z.array(input).check(z.minLength(1)),
  outputs: z.optional(z.array(output)),
});

/** The JSON of a request. */
export type InferenceRequest = z.infer<typeof inferenceRequest>;

/** The one input of a request, its data as bytes or as values. */
export type InputTensor = { readonly shape: readonly number[] } & (
  | { readonly datatype: "BYTES"; readonly data: readonly (string | Uint8Array)[] }
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

function parseJson(bytes: Uint8Array): InferenceRequest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw bad(`The inference request is no JSON: ${(error as Error).message}.`, error);
  }
  const { success, data, error } = z.safeParse(inferenceRequest, json);
  if (success) return data;
  throw bad(`The inference request, ${faultsOf(error)}.`);
}

/** Makes one list of nested ones, of at most `limit` values. */
function* flatten(data: readonly unknown[]): Generator<unknown> {
  for (const value of data) {
    if (Array.isArray(value)) yield* flatten(value);
    else yield value;
  }
}

const product = (shape: readonly number[]) => shape.reduce((all, dim) => all * dim, 1);

function valuesOf<T extends Uint8Array | Float32Array>(
  values: T,
  data: readonly unknown[],
  valid: (value: number) => boolean,
  what: string,
): T {
  let count = 0;
  for (const value of flatten(data)) {
    if (typeof value !== "number" || !valid(value))
      throw bad(`inputs.0.data has ${JSON.stringify(value)} in it; ${what}.`);
    if (count < values.length) values[count] = value;
    count++;
  }
  if (count !== values.length) throw bad(`inputs.0.data has ${count} values, but its shape has ${values.length}.`);
  return values;
}

/** BYTES elements behind each other, each after its length as 32 bits, little endian. */
function elementsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + 4;
    const end = start + (start <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY);
    if (end > bytes.length) throw bad("The binary data of the input ends within an element.");
    elements.push(bytes.subarray(start, end));
    at = end;
  }
  return elements;
}

function binaryTensor({ shape, datatype }: InferenceRequest["inputs"][number], bytes: Uint8Array): InputTensor {
  if (datatype === "BYTES") return { shape, datatype, data: elementsOf(bytes) };
  const size = product(shape) * (datatype === "FP32" ? 4 : 1);
  if (bytes.length !== size)
    throw bad(`The binary data has ${bytes.length} bytes, but the input's shape makes ${size}.`);
  if (datatype === "UINT8") return { shape, datatype, data: bytes };
  return { shape, datatype, data: new Float32Array(bytes.slice().buffer) };
}

/** @param limit How many values there may be, so that a shape alone takes no memory. */
function jsonTensor({ shape, datatype, data = [] }: InferenceRequest["inputs"][number], limit: number): InputTensor {
  const count = product(shape);
  if (datatype !== "BYTES" && count > limit)
    throw bad(`The input's shape has ${count} values; that is more than the body has bytes.`);
  if (datatype === "UINT8") {
    const valid = (value: number) => Number.isInteger(value) && value >= 0 && value <= 255;
    return {
      shape,
      datatype,
      data: valuesOf(new Uint8Array(count), data, valid, "UINT8 takes whole numbers from 0 to 255"),
    };
  }
  if (datatype === "FP32")
    return { shape, datatype, data: valuesOf(new Float32Array(count), data, Number.isFinite, "FP32 takes numbers") };
  const texts = [...flatten(data)].map((value) => {
    if (typeof value === "string") return value;
    throw bad("inputs.0.data of datatype BYTES takes images as texts in base64.");
  });
  return { shape, datatype, data: texts };
}

/**
 * Reads the body of an inference request.
 *
 * @param jsonLength How many bytes of it are JSON, as the header Inference-Header-Content-Length says; all if undefined.
 * @throws LabelerError of kind bad-body that names the field and what is expected of it.
 */
export function parseInference(body: Uint8Array, jsonLength: number | undefined): Inference {
  if (jsonLength !== undefined && !(jsonLength >= 0 && jsonLength <= body.length)) {
    throw bad(`Inference-Header-Content-Length is ${jsonLength}, but the body has ${body.length} bytes.`);
  }
  const request = parseJson(body.subarray(0, jsonLength));
  const [input, second] = request.inputs;
  if (input === undefined || second !== undefined || input.name !== INPUT) {
    const names = request.inputs.map(({ name }) => name).join(", ");
    throw bad(`The model has one input, "${INPUT}"; the request has ${names}.`);
  }
  const binarySize = input.parameters?.binary_data_size;
  const behind = body.subarray(jsonLength ?? body.length);
  if (binarySize !== undefined && binarySize !== behind.length) {
    throw bad(`inputs.0.parameters.binary_data_size is ${binarySize}, but ${behind.length} bytes are behind the JSON.`);
  }
  if (binarySize === undefined && input.data === undefined)
    throw bad('inputs.0 has neither "data" nor "binary_data_size".');
  const binary = request.parameters?.binary_data_output === true;
  return {
    id: request.id,
    input: binarySize === undefined ? jsonTensor(input, body.length) : binaryTensor(input, behind),
    outputs: request.outputs?.map(({ name, parameters }) => {
      const { classification, binary_data = binary } = parameters ?? {};
      if (classification !== undefined && !(Number.isInteger(classification) && Number(classification) > 0)) {
        throw bad(`The output ${name}: classification must be a whole number above 0.`);
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
