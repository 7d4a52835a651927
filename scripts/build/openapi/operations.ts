/** The operations of the labeler for the OpenAPI document: the purpose, the request and the responses of each. */
import { readFileSync } from "node:fs";
import type { Need } from "../../../worker/http/scopes.ts";
import { PRODUCT_VERSION } from "../version.ts";
import type { AnswerName } from "./answers.ts";

/** The content of a request or response in one media type. */
export interface Content {
  /** The name of a schema under components/schemas; absent for bytes or text. */
  readonly schema?: AnswerName | RequestName | undefined;
  readonly example?: unknown;
}

export type RequestName = "Images" | "ClassificationRequest" | "InferenceRequest";

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "header";
  readonly description: string;
  /** JSON Schema; a string if absent. */
  readonly schema?: Record<string, unknown>;
  readonly example?: unknown;
}

export interface Operation {
  readonly method: "get" | "post" | "delete";
  readonly path: string;
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  /**
   * The request whose query parameters it takes, generated from the schema that validates them, without those that are
   * named.
   */
  readonly query?: {
    readonly of: "label" | "explain" | "features" | "results" | "erasure";
    readonly without?: readonly string[];
  };
  readonly body?: Readonly<Record<string, Content>>;
  readonly status: number;
  readonly answer?: Readonly<Record<string, Content>>;
  /** The description of each header, and its type if it is not a number. */
  readonly headers?: Readonly<Record<string, string | { readonly description: string; readonly type: "string" }>>;
  /** The statuses besides `status`; 401, 403 and 429 are implied if a token is required. */
  readonly errors: readonly number[];
  /** The format of errors. */
  readonly errorForm?: "problem" | "json" | "message";
  /** Its response has an ETag, and is a 304 if the request sends that ETag. */
  readonly kept?: boolean;
  /** The scope that a token needs; "open" if no token is required. */
  readonly scope: Need;
}

const BYTES: Content = {};
const coffee = readFileSync(new URL("../../../test/fixtures/coffee-96.webp", import.meta.url)).toString("base64");

/** The errors of a call that takes one image, or several. */
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
  "X-Image-Scale": {
    description: "The scale at which the JPEG was decoded, such as 1/4; absent at its full size.",
    type: "string",
  },
} as const;

const NAME: Parameter = {
  name: "name",
  in: "path",
  description: "The name of the model.",
  example: "mobilenet_v1_1.0_224",
};
const VERSION: Parameter = {
  name: "version",
  in: "path",
  description: "Every model has exactly one version.",
  schema: { type: "string", enum: ["1"] },
  example: "1",
};

const IN_HEADER: Parameter = {
  name: "X-Label-Query",
  in: "header",
  description:
    "Parameters of the query, such as `model=efficientnet_lite0&crop=center`, for functions of eKuiper, which cannot add a " +
    "query to the address. They are checked like the query, and a parameter may not be in both.",
};

const SUBMITTED_IMAGE: readonly Parameter[] = [
  IN_HEADER,
  {
    name: "X-Image-Id",
    in: "header",
    description: "The id of the image, also `id` in the query. The default is the SHA-256 of the image.",
  },
  { name: "id", in: "query", description: "The same as X-Image-Id.", schema: { type: "string", maxLength: 128 } },
  {
    name: "device",
    in: "query",
    description: "The camera or other sender of the image. Also the header X-Device.",
    schema: { type: "string", maxLength: 128 },
  },
  {
    name: "time",
    in: "query",
    description:
      "When the image was taken, in ISO 8601 or in milliseconds since 1970. Also the header X-Time. The default is now.",
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
      summary: "Returns the inputs and outputs of a model",
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
      summary: "Reports whether a model can be used, and loads it if necessary",
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
      summary: "Classifies image files, pixels or normalised values",
      description:
        "The input `image` takes files in base64 (BYTES, shape [images]), pixels from 0 to 255 (UINT8) or normalised values " +
        "(FP32), both of shape [images, height, width, 3]. The outputs are `labels`, `confidences` and `probabilities`, and `features` " +
        "where it is asked for. " +
        "The extensions of Triton for binary tensors and for classification are supported. A tensor in JSON may be up to 4 MB in " +
        "its datatype. The rest of the JSON, besides images, may be up to 1 MB.",
      parameters: [
        ...parameters,
        {
          name: "Inference-Header-Content-Length",
          in: "header",
          description: "The length of the JSON at the beginning of the body, in bytes, if binary tensors follow it.",
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
      headers: IMAGE_NOTES,
      errors: LABELLING,
      errorForm: "message",
    },
  ]);
};

export const TAGS = {
  Label: "Send an image, receive its labels.",
  eKuiper: "The calls of an LF Edge eKuiper rule: functions in SQL, and a sink.",
  Results: "The labels of submitted images.",
  Models: "The installed models.",
  "Hugging Face": "The protocol of the clients of Hugging Face's inference API.",
  "Open Inference Protocol": "The protocol of the clients of KServe, Triton and other servers.",
  Probes: "Report whether the labeler is alive, and whether it is ready.",
} as const;

export const operations: readonly Operation[] = [
  {
    method: "post",
    path: "/label",
    id: "label",
    tag: "Label",
    scope: "label",
    summary: "Labels one image or several",
    description:
      "The body is an image file (JPEG, PNG, WebP, GIF, BMP, TIFF or PNM, recognised by its first bytes), a form with files, base64 or " +
      "a data URL, or JSON with those. Parameters may also be fields of the form, before its files, or stand beside the " +
      "image in JSON. Any body may have `Content-Encoding: gzip` or `deflate`. Several images in a form or in JSON give a " +
      "list with the labels, or the error, of each. The JSON may be up to 1 MB besides its images, with 8 levels of lists " +
      "and objects. `Accept: text/plain` returns only the top-1 label, on a line for each image. With `explain` a label " +
      "has a PNG, in base64, of the places that count for it. `Accept: image/png` returns only the PNG. With regions, of the " +
      "request or of the model, the answer is an object that has the labels of each region by its name.",
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
    parameters: [{ name: "If-None-Match", in: "header", description: "The ETags of answers that the caller has." }],
    errors: LABELLING,
  },
  {
    method: "post",
    path: "/features",
    id: "features",
    tag: "Label",
    scope: "label",
    summary: "Returns the features of one image: a vector that is alike for images that are alike",
    description:
      "The vector is what the network has of the image before it makes scores of it: the mean of each channel over all " +
      "places, at length 1. The cosine of two images is the product of their vectors. `Accept: application/octet-stream` returns " +
      "the values as 32-bit floats, little endian. With `parts=all` the answer has all from which `npm run model -- teach` " +
      "makes a classifier head, as the network computes it: `pooled`, `maxima`, `late`, `early` and `probabilities`, in " +
      "this order, with their lengths in the header X-Features. A network that does not end in a pooling over all places gives a 422.",
    query: { of: "features" },
    body: IMAGE_BODY,
    status: 200,
    answer: { "application/json": { schema: "Features" }, "application/octet-stream": BYTES },
    headers: {
      ...IMAGE_NOTES,
      "X-Features": {
        description: "The parts of the answer and how many values each has, such as pooled=1280.",
        type: "string",
      },
    },
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
      "Like /label, but the answer is an object, as eKuiper needs it. An image that cannot be read gives empty `results` and an " +
      "`error` with status 200, because eKuiper drops the row of any call that fails.",
    parameters: [IN_HEADER],
    query: { of: "label" },
    body: IMAGE_BODY,
    status: 200,
    answer: {
      "application/json": {
        schema: "Reply",
        example: { results: espresso, label: "968:espresso", confidence: 0.3033, model: "mobilenet_v1_1.0_224" },
      },
    },
    errors: [400, 404, 408, 500, 503],
    errorForm: "json",
  },
  {
    method: "post",
    path: "/ekuiper/labelRegions",
    id: "labelRegions",
    tag: "eKuiper",
    scope: "label",
    summary: "An SQL function of install --function whose model looks at regions",
    description:
      "Like /ekuiper/labelImage, but `regions` is an object with a field for each region, since the schema of such a function " +
      "has their names.",
    parameters: [IN_HEADER],
    query: { of: "label" },
    body: {
      ...IMAGE_BODY,
      "application/json": { schema: "Images", example: { image: coffee, region: ["bay1:0,0,1,1"] } },
    },
    status: 200,
    answer: {
      "application/json": {
        schema: "RegionsReply",
        example: {
          results: espresso,
          label: "968:espresso",
          confidence: 0.3033,
          model: "mobilenet_v1_1.0_224",
          regions: { bay1: { results: espresso, label: "968:espresso", confidence: 0.3033 } },
        },
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
    summary: "The SQL function labelText(self): only the top-1 label, empty for an image that cannot be read",
    parameters: [IN_HEADER],
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
    summary: "The SQL function labelOf(id): the stored result of a submitted image",
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
    summary: "Submits an image, whose labels are stored under its id",
    description:
      "The answer means that the result is on disk. A repeated id stores nothing. An image that cannot be read is stored with its " +
      "`error`. Parameters `meta-NAME` (or headers X-Meta-NAME) are stored with the result.",
    parameters: SUBMITTED_IMAGE,
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
    summary: "Returns the stored results, the oldest first",
    description: "Pass the `next` of the last row as `since` of the next call.",
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
    summary: "Returns the result of one image",
    parameters: [{ name: "id", in: "path", description: "The id with which the image was submitted." }],
    status: 200,
    answer: { "application/json": { schema: "Result" } },
    errors: [404, 503],
  },
  {
    method: "delete",
    path: "/results",
    id: "eraseResults",
    tag: "Results",
    scope: "admin",
    summary: "Erases the stored results of a device, those before a time, or both",
    description: "At least one parameter is required. The log has a line about it, whatever the setting LOG says.",
    parameters: [
      {
        name: "before",
        in: "query",
        description:
          "Only images that were taken before this time, ISO 8601; or only results before this cursor, the `next` of a row.",
        schema: { type: "string", pattern: "^(r\\d{1,15}|\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d.*)?)$" },
      },
    ],
    query: { of: "erasure" },
    status: 200,
    answer: { "application/json": { schema: "Erased", example: { erased: 0 } } },
    errors: [400, 503, 507],
  },
  {
    method: "delete",
    path: "/results/{id}",
    id: "eraseResult",
    tag: "Results",
    scope: "admin",
    summary: "Erases the result of one image",
    description: "An image that is submitted again under this id is labelled and stored again.",
    parameters: [{ name: "id", in: "path", description: "The id with which the image was submitted." }],
    status: 200,
    answer: { "application/json": { schema: "Erased", example: { erased: 1 } } },
    errors: [404, 503, 507],
  },
  {
    method: "get",
    path: "/push",
    id: "pushStatus",
    tag: "Results",
    scope: "results",
    summary: "Reports the state of the push targets",
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
    summary: "Tries all waiting push targets at once",
    description: "The call ignores the back-off of the targets. It answers when they have been tried, or after 5 s.",
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
    summary: "Lists the installed models",
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
    summary: "Returns the input, classes, precisions and licence of a model",
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
    summary: "Classifies an image as Hugging Face's image-classification task does",
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
    headers: IMAGE_NOTES,
    errors: LABELLING,
    errorForm: "message",
  },
  {
    method: "get",
    path: "/v2",
    id: "serverMetadata",
    tag: "Open Inference Protocol",
    scope: "label",
    summary: "Returns the name, version and extensions of the server",
    status: 200,
    answer: {
      "application/json": {
        schema: "ServerMetadata",
        example: {
          name: "edge-labeler",
          version: PRODUCT_VERSION,
          extensions: ["binary_tensor_data", "classification"],
        },
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
    summary: "Reports whether the server is alive",
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
    summary: "Reports whether the default model is loaded, and loads it if necessary",
    status: 200,
    answer: { "application/json": { schema: "Ready", example: { ready: true } } },
    errors: [404, 500, 503],
    errorForm: "message",
  },
  {
    method: "post",
    path: "/v2/repository/index",
    id: "repositoryIndex",
    tag: "Open Inference Protocol",
    scope: "label",
    summary: "What is installed, as Triton's clients ask for it",
    description: "Every model that can be used is ready: it is loaded when it is wanted. The body is not read.",
    status: 200,
    answer: {
      "application/json": {
        schema: "RepositoryIndex",
        example: [{ name: "efficientnet_lite0", version: "1", state: "READY", reason: "" }],
      },
    },
    errors: [500],
    errorForm: "message",
  },
  ...tensors(true),
  {
    method: "get",
    path: "/metrics",
    id: "metrics",
    tag: "Probes",
    scope: "results",
    summary: "Returns the metrics of this isolate, for Prometheus",
    description: "The setting METRICS_PUBLIC opens it to callers without a token.",
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
    summary: "Reports whether the labeler is alive",
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
    summary: "Reports whether images can be labelled and results stored, and loads the default model if necessary",
    status: 200,
    answer: {
      "application/json": { schema: "Readiness", example: { status: "ready", model: "mobilenet_v1_1.0_224" } },
    },
    errors: [404, 500, 503, 507],
  },
];
