/** The calls that a client of `npm run soak` makes, each with its correct answer. */

import { distinct, type Picture } from "./pictures.ts";
import type { Random } from "./random.ts";

export interface Call {
  readonly kind: string;
  readonly path: string;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  /** The id under which the labels are stored, if the call submits an image. */
  readonly id?: string;
  /** The pictures whose top-1 labels are in the answer, in order. */
  readonly pictures: readonly Picture[];
  /** The top-1 labels in an answer. */
  readonly labelsIn?: (text: string) => string[];
}

interface Context {
  readonly random: Random;
  readonly pictures: readonly Picture[];
  /**
   * A unique text for each call: an image that was sent before would be answered from the cache, and its id would exist
   * already.
   */
  readonly mark: () => string;
}

type Make = (context: Context) => Omit<Call, "kind">;

const MODEL = "mobilenet_v1_1.0_224";
const JSON_TYPE = { "content-type": "application/json" };

interface Label {
  readonly label: string;
}

const first = (text: string) => [(JSON.parse(text) as Label[])[0].label];
const object = (text: string) => [(JSON.parse(text) as Label).label];
const each = (text: string) => (JSON.parse(text) as { labels: Label[] }[]).map(({ labels }) => labels[0].label);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** A call whose body is one image. */
const single =
  (path: string, labelsIn?: Call["labelsIn"]): Make =>
  ({ random, pictures, mark }) => {
    const picture = random.of(pictures);
    return { path, body: distinct(picture, mark()), pictures: [picture], ...(labelsIn && { labelsIn }) };
  };

const some = ({ random, pictures }: Context) => Array.from({ length: 2 + random.below(4) }, () => random.of(pictures));

const submit: Make = (context) => {
  const id = context.mark();
  return { ...single(`/ekuiper/sink?id=${id}&device=camera-${context.random.below(4)}`)(context), id };
};

const form: Make = (context) => {
  const chosen = some(context);
  const body = new FormData();
  for (const picture of chosen) body.append("image", new Blob([distinct(picture, context.mark())]), picture.name);
  return { path: "/label", body, pictures: chosen, labelsIn: each };
};

const json: Make = (context) => {
  const chosen = some(context);
  const images = chosen.map((picture) => base64(distinct(picture, context.mark())));
  return { path: "/label", body: JSON.stringify({ images }), headers: JSON_TYPE, pictures: chosen, labelsIn: each };
};

const inference: Make = ({ random, pictures, mark }) => {
  const picture = random.of(pictures);
  const input = { name: "image", shape: [1], datatype: "BYTES", data: [base64(distinct(picture, mark()))] };
  const labelsIn = (text: string) => {
    const { outputs } = JSON.parse(text) as { outputs: { name: string; data: string[] }[] };
    return [outputs.find(({ name }) => name === "labels")?.data[0] ?? ""];
  };
  const body = JSON.stringify({ inputs: [input] });
  return { path: `/v2/models/${MODEL}/infer`, body, headers: JSON_TYPE, pictures: [picture], labelsIn };
};

/** Cached after the first call. */
const again: Make = ({ random, pictures }) => {
  const picture = random.of(pictures);
  return { path: "/label", body: new Uint8Array(picture.bytes), pictures: [picture], labelsIn: first };
};

const read: Make = ({ random }) => {
  const path = random.of(["/results?order=newest", "/metrics", "/models", "/healthz", "/readyz", "/push"]);
  return { path, pictures: [] };
};

const GOOD: readonly { readonly kind: string; readonly weight: number; readonly make: Make }[] = [
  { kind: "image", weight: 25, make: single("/label", first) },
  { kind: "submitted image", weight: 25, make: submit },
  { kind: "form", weight: 8, make: form },
  { kind: "JSON", weight: 8, make: json },
  { kind: "/v2", weight: 8, make: inference },
  { kind: "eKuiper's call", weight: 8, make: single("/ekuiper/labelImage", object) },
  { kind: "eKuiper's text", weight: 3, make: single("/ekuiper/labelText", (text) => [text]) },
  { kind: "Hugging Face", weight: 4, make: single(`/models/${MODEL}`, first) },
  { kind: "explanation", weight: 2, make: single("/label?explain=1", first) },
  { kind: "other model", weight: 4, make: single("/label?model=efficientnet_lite0") },
  { kind: "known image", weight: 3, make: again },
  { kind: "reading", weight: 5, make: read },
];

export function goodCall(context: Context): Call {
  const { kind, make } = context.random.weighted(GOOD);
  return { kind, ...make(context) };
}
