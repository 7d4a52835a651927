/** The calls of the labeler, for its description: what each is for, what it takes and what it answers. */
import { readFileSync } from "node:fs";
import type { Need } from "../../worker/http/scopes.ts";
import type { AnswerName } from "./answers.ts";

/** A body, or an answer, of one media type. */
export interface Content {
  /** The name of a schema under components/schemas; bytes or text without one. */
  readonly schema?: AnswerName | RequestName | undefined;
  readonly example?: unknown;
}

export type RequestName = "Images" | "ClassificationRequest" | "InferenceRequest";

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "header";
  readonly description: string;
  /** JSON Schema; a text if absent. */
  readonly schema?: Record<string, unknown>;
  readonly example?: unknown;
}

export interface Operation {
  readonly method: "get" | "post";
  readonly path: string;
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  /** Whose query parameters it takes, made of the schema that checks them; without those that are named. */
  readonly query?: { readonly of: "label" | "explain" | "results"; readonly without?: readonly string[] };
  readonly body?: Readonly<Record<string, Content>>;
  readonly status: number;
  readonly answer?: Readonly<Record<string, Content>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which statuses there may be beside `status`; 401, 403 and 429 go without saying where a token is asked for. */
  readonly errors: readonly number[];
  /** How errors are written. */
  readonly errorForm?: "problem" | "json" | "message";
  /** Its answer has an ETag, and is a 304 where the request brings that. */
  readonly kept?: boolean;
  /** Which scope a token needs; "open" if none is asked for. */
  readonly scope: Need;
}

const BYTES: Content = {};
const coffee = readFileSync(new URL("../../test/fixtures/coffee-96.webp", import.meta.url)).toString("base64");

/** What a call may answer that takes one image, or several. */
const LABELLING = [400, 404, 408, 413, 415, 422, 500, 503];

const espresso = [
  { confidence: 0.3033, label: "968:espresso" },
  { confidence: 0.1058, label: "926:consomme" },
];

const IMAGE_BODY = {
  "application/octet-stream": BYTES,
  "application/json": { schema: "Images", example: { image: coffee } },
} as const satisfies Operation["body"];

const IMAGE_NOTES = {
  "X-Image-Missing": "How much of the image, 0 to 1, is not there because its data end early.",
  "X-Image-Warnings": "In how many places the JPEG is damaged: what is behind them may be wrong.",
  "X-Image-Scale": "The scale at which the JPEG was decoded, such as 1/4; absent at its full size.",
};

const NAME: Parameter = {
  name: "name",
  in: "path",
  description: "The folder of the model in model-assets/.",
  example: "mobilenet_v1_1.0_224",
};
const VERSION: Parameter = {
  name: "version",
  in: "path",
  description: "Each model has one version.",
  schema: { type: "string", enum: ["1"] },
  example: "1",
};

const HANDED_OVER: readonly Parameter[] = [
  {
    name: "X-Image-Id",
    in: "header",
    description: "The image's id; as `id` in the query. Without one it is the SHA-256 of the image.",
  },
  { name: "id", in: "query", description: "As X-Image-Id.", schema: { type: "string", maxLength: 128 } },
  {
    name: "device",
    in: "query",
    description: "Which camera took it; as X-Device.",
    schema: { type: "string", maxLength: 128 },
  },
  {
    name: "time",
    in: "query",
    description: "When it was taken, ISO 8601 or milliseconds since 1970; as X-Time. Now if absent.",
    schema: { type: "string", format: "date-time" },
  },
];

const tensors = (example: boolean): Operation[] => {
  const versions = [
    { suffix: "", parameters: [NAME], id: "" },
    { suffix: "/versions/{version}", parameters: [NAME, VERSION], id: "Version" },
  ];
  return versions.flatMap(({ suffix, parameters, id }): Operation[] => [
    {
      method: "get",
      path: `/v2/models/{name}${suffix}`,
      id: `modelMetadata${id}`,
      tag: "Open Inference Protocol",
      scope: "label",
      summary: "A model's inputs and outputs",
      parameters,
      status: 200,
      answer: { "application/json": { schema: "ModelMetadata" } },
      errors: [404, 500, 503],
      errorForm: "message",
    },
    {
      method: "get",
      path: `/v2/models/{name}${suffix}/ready`,
      id: `modelReady${id}`,
      tag: "Open Inference Protocol",
      scope: "label",
      summary: "Whether a model can be used; loads it if need be",
      parameters,
      status: 200,
      answer: { "application/json": { schema: "ModelReady", example: { name: "mobilenet_v1_1.0_224", ready: true } } },
      errors: [404, 500, 503],
      errorForm: "message",
    },
    {
      method: "post",
      path: `/v2/models/{name}${suffix}/infer`,
      id: `infer${id}`,
      tag: "Open Inference Protocol",
      scope: "label",
      summary: "Infers image files, pixels or normalised values",
      description:
        "The input `image` takes files in base64 (BYTES, shape [images]), pixels 0 to 255 (UINT8) or normalised values " +
        "(FP32), both of shape [images, height, width, 3]. The outputs are `labels`, `confidences` and `probabilities`. " +
        "Triton's extensions for binary tensors and for classification are understood. A tensor in JSON has at most 4 MB in " +
        "its datatype, and all else in the JSON 1 MB beside images.",
      parameters: [
        ...parameters,
        {
          name: "Inference-Header-Content-Length",
          in: "header",
          description: "How many bytes of the body are JSON, where binary tensors follow.",
          schema: { type: "integer", minimum: 0 },
        },
      ],
      query: { of: "label", without: ["model", "min"] },
      body: {
        "application/json": {
          schema: "InferenceRequest",
          ...(example && {
            example: {
              id: "1",
              inputs: [{ name: "image", datatype: "BYTES", shape: [1], data: [coffee] }],
              outputs: [{ name: "labels" }],
            },
          }),
        },
        "application/octet-stream": BYTES,
      },
      status: 200,
      answer: {
        "application/json": {
          schema: "InferenceResponse",
          ...(example && {
            example: {
              model_name: "mobilenet_v1_1.0_224",
              model_version: "1",
              id: "1",
              outputs: [
                {
                  name: "labels",
                  datatype: "BYTES",
                  shape: [1, 5],
                  data: ["968:espresso", "926:consomme", "970:eggnog", "634:loupe, jeweler's loupe", "759:reel"],
                },
              ],
            },
          }),
        },
        "application/octet-stream": BYTES,
      },
      errors: LABELLING,
      errorForm: "message",
    },
  ]);
};

export const TAGS = {
  Label: "An image in, its labels out.",
  eKuiper: "The calls of an LF Edge eKuiper rule: its functions in SQL, and its sink.",
  Results: "The labels of images that were handed over.",
  Models: "What is installed.",
  "Hugging Face": "As the clients of Hugging Face's inference API call it.",
  "Open Inference Protocol": "As the clients of KServe, Triton and the like call it.",
  Probes: "Whether the labeler lives, and whether it is ready.",
} as const;

export const operations: readonly Operation[] = [
  {
    method: "post",
    path: "/label",
    id: "label",
    tag: "Label",
    scope: "label",
    summary: "Labels an image, or several",
    description:
      "The body is an image file as it is (JPEG, PNG, WebP, GIF, BMP, TIFF or PNM; what it is, is seen from its bytes), a form with " +
      "files, or JSON with base64 or data URLs. Several images in a form or in JSON give a list with the labels, or the " +
      "error, of each. JSON is limited to 1 MB beside its images and to 8 levels of lists and objects. `Accept: text/plain` gives the best label alone, a line an image. With `explain` a label has a PNG " +
      "of where it is seen, in base64; `Accept: image/png` gives the PNG alone.",
    query: { of: "explain" },
    body: {
      ...IMAGE_BODY,
      "multipart/form-data": BYTES,
      "application/json": { schema: "Images", example: { images: [coffee, { name: "cup", image: coffee }] } },
    },
    status: 200,
    answer: {
      "application/json": {
        schema: "LabelAnswer",
        example: [{ labels: espresso }, { name: "cup", labels: espresso }],
      },
      "text/plain": BYTES,
      "image/png": BYTES,
    },
    headers: IMAGE_NOTES,
    kept: true,
    parameters: [{ name: "If-None-Match", in: "header", description: "ETags of answers that the caller has." }],
    errors: LABELLING,
  },
  {
    method: "post",
    path: "/ekuiper/labelImage",
    id: "labelImage",
    tag: "eKuiper",
    scope: "label",
    summary: "The SQL function labelImage(self)",
    description:
      "As /label, with an object on top, which eKuiper needs. An image that cannot be read is an answer here, with empty " +
      "`results` and an `error`: eKuiper drops the row of any call that fails.",
    query: { of: "label" },
    body: IMAGE_BODY,
    status: 200,
    answer: {
      "application/json": {
        schema: "Reply",
        example: { results: espresso, label: "968:espresso", confidence: 0.3033 },
      },
    },
    errors: [400, 404, 408, 500, 503],
    errorForm: "json",
  },
  {
    method: "post",
    path: "/ekuiper/labelText",
    id: "labelText",
    tag: "eKuiper",
    scope: "label",
    summary: "The SQL function labelText(self): the best label alone, empty for an image that cannot be read",
    query: { of: "label" },
    body: IMAGE_BODY,
    status: 200,
    answer: { "text/plain": { example: "968:espresso" } },
    errors: [400, 404, 408, 500, 503],
    errorForm: "json",
  },
  {
    method: "post",
    path: "/ekuiper/labelOf",
    id: "labelOf",
    tag: "eKuiper",
    scope: "results",
    summary: "The SQL function labelOf(id): what is stored of an image that was handed over",
    body: { "text/plain": { example: "no-such-image" } },
    status: 200,
    answer: {
      "application/json": {
        schema: "FoundLabel",
        example: { found: false, label: "", confidence: 0, time: "", device: "", error: "" },
      },
    },
    errors: [408, 413, 503],
    errorForm: "json",
  },
  {
    method: "post",
    path: "/ekuiper/sink",
    id: "handOver",
    tag: "eKuiper",
    scope: "submit",
    summary: "Hands an image over: its labels are stored under its id",
    description:
      "Acknowledged means on disk. The same id again stores nothing new. An image that cannot be read is stored with its " +
      "`error`. Parameters `meta-NAME` (or headers X-Meta-NAME) are stored with it.",
    parameters: HANDED_OVER,
    query: { of: "label" },
    body: IMAGE_BODY,
    status: 204,
    errors: [400, 404, 408, 500, 503, 507],
    errorForm: "json",
  },
  {
    method: "get",
    path: "/results",
    id: "listResults",
    tag: "Results",
    scope: "results",
    summary: "Stored results, oldest first",
    description: "The `next` of the last row is the `since` of the next call.",
    query: { of: "results" },
    status: 200,
    answer: { "application/json": { schema: "Results" } },
    errors: [400, 503],
  },
  {
    method: "get",
    path: "/results/{id}",
    id: "getResult",
    tag: "Results",
    scope: "results",
    summary: "The result of one image",
    parameters: [{ name: "id", in: "path", description: "As it was handed over." }],
    status: 200,
    answer: { "application/json": { schema: "Result" } },
    errors: [404, 503],
  },
  {
    method: "get",
    path: "/push",
    id: "pushStatus",
    tag: "Results",
    scope: "results",
    summary: "How far the targets are to which results are posted",
    status: 200,
    answer: { "application/json": { schema: "PushStatus", example: { targets: [] } } },
    errors: [503],
  },
  {
    method: "post",
    path: "/push/retry",
    id: "retryPush",
    tag: "Results",
    scope: "results",
    summary: "Tries every target that waits at once, whatever its back-off",
    description: "The answer comes when the targets have been tried, or after 5 s.",
    status: 200,
    answer: { "application/json": { schema: "PushStatus", example: { targets: [] } } },
    errors: [503, 507],
  },
  {
    method: "get",
    path: "/models",
    id: "listModels",
    tag: "Models",
    scope: "label",
    summary: "What is installed",
    status: 200,
    answer: { "application/json": { schema: "Models" } },
    errors: [503],
  },
  {
    method: "get",
    path: "/models/{name}",
    id: "getModel",
    tag: "Models",
    scope: "label",
    summary: "One model: its input, classes, precisions and licence",
    parameters: [NAME],
    status: 200,
    answer: { "application/json": { schema: "Model" } },
    errors: [404, 503],
  },
  {
    method: "post",
    path: "/models/{name}",
    id: "classify",
    tag: "Hugging Face",
    scope: "label",
    summary: "Hugging Face's image-classification task",
    parameters: [NAME],
    query: { of: "label", without: ["model"] },
    body: {
      "application/octet-stream": BYTES,
      "application/json": {
        schema: "ClassificationRequest",
        example: { inputs: coffee, parameters: { top_k: 2 } },
      },
    },
    status: 200,
    answer: {
      "application/json": {
        schema: "Scores",
        example: espresso.map(({ confidence, label }) => ({ label, score: confidence })),
      },
    },
    errors: LABELLING,
    errorForm: "message",
  },
  {
    method: "get",
    path: "/v2",
    id: "serverMetadata",
    tag: "Open Inference Protocol",
    scope: "label",
    summary: "The server and the extensions that it understands",
    status: 200,
    answer: {
      "application/json": {
        schema: "ServerMetadata",
        example: { name: "edge-labeler", version: "0.1.0", extensions: ["binary_tensor_data", "classification"] },
      },
    },
    errors: [],
    errorForm: "message",
  },
  {
    method: "get",
    path: "/v2/health/live",
    id: "serverLive",
    tag: "Open Inference Protocol",
    scope: "open",
    summary: "Whether the server lives",
    status: 200,
    answer: { "application/json": { schema: "Live", example: { live: true } } },
    errors: [],
  },
  {
    method: "get",
    path: "/v2/health/ready",
    id: "serverReady",
    tag: "Open Inference Protocol",
    scope: "open",
    summary: "Whether the default model is loaded; loads it if need be",
    status: 200,
    answer: { "application/json": { schema: "Ready", example: { ready: true } } },
    errors: [404, 500, 503],
    errorForm: "message",
  },
  ...tensors(true),
  {
    method: "get",
    path: "/metrics",
    id: "metrics",
    tag: "Probes",
    scope: "results",
    summary: "What this isolate has done, for Prometheus",
    description: "It needs no token where the setting METRICS_PUBLIC says so.",
    status: 200,
    answer: { "text/plain": BYTES },
    errors: [],
  },
  {
    method: "get",
    path: "/healthz",
    id: "healthz",
    tag: "Probes",
    scope: "open",
    summary: "Whether the labeler lives",
    status: 200,
    answer: { "application/json": { schema: "Health", example: { status: "ok" } } },
    errors: [],
  },
  {
    method: "get",
    path: "/readyz",
    id: "readyz",
    tag: "Probes",
    scope: "open",
    summary: "Whether it can label and store results; loads the default model if need be",
    status: 200,
    answer: {
      "application/json": { schema: "Readiness", example: { status: "ready", model: "mobilenet_v1_1.0_224" } },
    },
    errors: [404, 500, 503, 507],
  },
];
