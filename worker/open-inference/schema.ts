/**
 * The JSON of an inference request of the Open Inference Protocol (KServe's V2,
 * https://github.com/kserve/open-inference-protocol), and its limits. What the fields mean together is in request.ts.
 */
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { type JsonLimits, MAX_STRUCTURE } from "../json/json-limits.ts";
import { NumberList } from "../json/number-list.ts";
import { text } from "../validation/text.ts";

/** The largest tensor that JSON may hold, in bytes of its datatype. Binary tensors are as large as bodies may be. */
export const MAX_JSON_TENSOR = 4 << 20;

/** @param maxImages The setting MAX_IMAGES. */
export const inferenceJsonLimits = (maxImages: number): JsonLimits => ({
  subject: "The inference request",
  advice:
    'Send {"inputs": [{"name": "image", "datatype": …, "shape": …, "data": …}]}; large tensors belong behind the JSON ' +
    "(binary tensor data extension).",
  // A tensor of four dimensions is in "data", in an input, in "inputs", in the request.
  depth: 8,
  values: 2000 + 2 * maxImages,
  fields: 1000,
  bytes: Math.max(MAX_STRUCTURE, maxImages << 10),
  tensor: { field: "data", numbers: MAX_JSON_TENSOR },
});

/** Clients send parameters for servers of other kinds; those of any length are let pass. */
const parameters = z.record(z.string(), z.union([text, z.number(), z.boolean()]));
const shape = z.array(z.int().check(z.gte(0)));

/** Images in base64, or numbers: row by row, flat or nested as the shape is. */
const data = z.custom<readonly unknown[] | NumberList>((value) => Array.isArray(value) || value instanceof NumberList, {
  error: "must be a list",
});
data.register(z.globalRegistry, { type: "array", items: {} });

const input = z.object({
  name: z.string(),
  shape,
  datatype: z.enum(["BYTES", "UINT8", "FP32"], "must be BYTES, UINT8 or FP32"),
  parameters: z.optional(parameters),
  /** Absent where the bytes are behind the JSON. */
  data: z.optional(data),
});

export type Input = z.infer<typeof input>;

const output = z.object({ name: z.string(), parameters: z.optional(parameters) });

export const inferenceRequest = z.object({
  id: z.optional(z.string()),
  parameters: z.optional(parameters),
  inputs: z.array(input).check(z.minLength(1)),
  outputs: z.optional(z.array(output)),
});

/** The longest lists that make sense, so that no schema is held against long ones. */
const LENGTHS = { inputs: 16, outputs: 64, shape: 16 } as const;

function checkLength(field: keyof typeof LENGTHS, value: unknown): void {
  if (!Array.isArray(value) || value.length <= LENGTHS[field]) return;
  const detail = `The inference request has ${value.length} items in "${field}"; the limit is ${LENGTHS[field]}.`;
  throw new LabelerError(
    "bad-body",
    `${detail} The model has one input, of at most four dimensions, and three outputs.`,
  );
}

/** @throws LabelerError of kind bad-body if a list is longer than any that makes sense. */
export function checkLengths(json: unknown): void {
  const { inputs, outputs } = (json ?? {}) as { readonly inputs?: unknown; readonly outputs?: unknown };
  checkLength("inputs", inputs);
  checkLength("outputs", outputs);
  if (!Array.isArray(inputs)) return;
  for (const input of inputs) checkLength("shape", input?.shape);
}
