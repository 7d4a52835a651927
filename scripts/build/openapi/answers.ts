/** The schemas of the responses. The tests validate every response against these. */
import * as z from "zod/mini";
import { PRECISIONS } from "../../../worker/model/precision-name.ts";

const part = () => z.number().check(z.gte(0), z.lte(1));
const text = z.string();

const label = z.strictObject({ confidence: part(), label: text });

/** Problem details, RFC 9457. */
const problem = z.strictObject({ type: text, title: text, status: z.int(), detail: text });

const labels = z.array(label);
const explained = z.array(z.strictObject({ ...label.shape, explanation: z.optional(text) }));

/** What a result says about an image besides its labels. */
const notes = { missing: z.optional(part()), warnings: z.optional(z.int()), scale: z.optional(text) };

const byRegion = z.record(text, labels);

const outcome = z.union([
  z.strictObject({ name: z.optional(text), labels, ...notes }),
  z.strictObject({ name: z.optional(text), regions: byRegion, ...notes }),
  z.strictObject({ name: z.optional(text), error: problem }),
]);

const best = { results: labels, label: text, confidence: part() };

const numbers = z.array(z.number());
const featureParts = z.strictObject({
  pooled: numbers,
  maxima: numbers,
  late: numbers,
  early: numbers,
  probabilities: numbers,
});

const reply = z.strictObject({
  ...best,
  regions: z.optional(z.array(z.strictObject({ name: text, ...best }))),
  error: z.optional(text),
  model: text,
});

const regionsReply = z.strictObject({ ...reply.shape, regions: z.record(text, z.strictObject(best)) });

const found = z.strictObject({
  found: z.boolean(),
  label: text,
  confidence: part(),
  time: text,
  device: text,
  error: text,
});

const result = z.strictObject({
  next: text,
  id: text,
  time: text,
  device: z.nullable(text),
  model: text,
  label: text,
  confidence: part(),
  results: labels,
  regions: z.optional(byRegion),
  error: z.optional(text),
  meta: z.record(text, text),
});

const precision = z.enum(PRECISIONS);

const rectangle = z.strictObject({ x0: part(), y0: part(), x1: part(), y1: part() });

const model = z.strictObject({
  name: text,
  base: z.optional(text),
  bytes: z.int(),
  sha256: text,
  default: z.boolean(),
  error: z.optional(text),
  description: z.optional(text),
  input: z.optional(
    z.strictObject({
      width: z.int(),
      height: z.int(),
      type: text,
      layout: z.enum(["rgb", "bgr", "grey", "planes", "bgr-planes"]),
      normalization: z.optional(z.strictObject({ mean: z.array(z.number()), std: z.array(z.number()) })),
    }),
  ),
  classes: z.optional(z.int()),
  crop: z.optional(z.union([z.enum(["squash", "center"]), rectangle])),
  regions: z.optional(z.array(z.strictObject({ name: text, crop: rectangle }))),
  headPerRegion: z.optional(z.literal(true)),
  precisions: z.optional(z.array(precision)),
  precision: z.optional(precision),
  engine: z.optional(z.enum(["plan", "tfjs"])),
  noPlan: z.optional(text),
  notes: z.optional(z.array(text)),
  features: z.optional(z.int()),
  noFeatures: z.optional(text),
  memory: z.optional(z.partialRecord(precision, z.number())),
  source: z.optional(text),
  licence: z.optional(text),
});

const pushStatus = z.strictObject({
  targets: z.array(
    z.strictObject({
      target: text,
      delivered: z.int(),
      waiting: z.int(),
      givenUp: z.int(),
      failures: z.int(),
      retryAt: z.nullable(text),
      lastError: z.nullable(text),
    }),
  ),
});

const tensorMetadata = z.strictObject({ name: text, datatype: text, shape: z.array(z.int()) });

const inference = z.strictObject({
  model_name: text,
  model_version: text,
  id: z.optional(text),
  outputs: z.array(
    z.strictObject({
      name: text,
      datatype: z.enum(["FP32", "BYTES"]),
      shape: z.array(z.int()),
      data: z.optional(z.array(z.union([z.number(), text]))),
      parameters: z.optional(z.strictObject({ binary_data_size: z.int() })),
    }),
  ),
});

/** By their names under components/schemas. */
export const answers = {
  Problem: problem,
  Message: z.strictObject({ error: text }),
  LabelAnswer: z.union([explained, z.strictObject({ regions: byRegion }), z.array(outcome)]),
  Features: z.union([z.array(z.number()), featureParts]),
  Reply: reply,
  RegionsReply: regionsReply,
  FoundLabel: found,
  Result: result,
  Results: z.array(result),
  Erased: z.strictObject({ erased: z.int().check(z.gte(0)) }),
  PushStatus: pushStatus,
  Model: model,
  Models: z.array(model),
  Scores: z.array(z.strictObject({ label: text, score: part() })),
  ServerMetadata: z.strictObject({ name: text, version: text, extensions: z.array(text) }),
  ModelMetadata: z.strictObject({
    name: text,
    versions: z.array(text),
    platform: text,
    inputs: z.array(tensorMetadata),
    outputs: z.array(tensorMetadata),
  }),
  RepositoryIndex: z.array(
    z.strictObject({ name: text, version: text, state: z.enum(["READY", "UNAVAILABLE"]), reason: text }),
  ),
  ModelReady: z.strictObject({ name: text, ready: z.boolean() }),
  Live: z.strictObject({ live: z.boolean() }),
  Ready: z.strictObject({ ready: z.boolean() }),
  InferenceResponse: inference,
  Health: z.strictObject({ status: text }),
  Readiness: z.strictObject({ status: text, model: text }),
} as const;

export type AnswerName = keyof typeof answers;
