/** Builds the OpenAPI 3.1 document of the labeler from the schemas that also validate its requests. */
import * as z from "zod/mini";
import { KINDS } from "../../../worker/errors.ts";
import { classificationRequest } from "../../../worker/http/classification-request.ts";
import { erasureQuery } from "../../../worker/http/erasure-query.ts";
import { imagesJson } from "../../../worker/http/image-json.ts";
import { explainQuery, featuresQuery, labelQuery } from "../../../worker/http/query.ts";
import { resultsQuery } from "../../../worker/http/results-query.ts";
import { inferenceRequest } from "../../../worker/open-inference/schema.ts";
import { PRODUCT_VERSION } from "../version.ts";
import { answers } from "./answers.ts";
import { type Content, type Operation, operations, type Parameter, TAGS } from "./operations.ts";

type Json = Record<string, unknown>;

/** The descriptions of a request's parameters; every parameter must have one here. */
const ABOUT = {
  top: "The number of labels at most.",
  min: "The lowest confidence of a label.",
  model: "One of the installed models; the default model if absent.",
  crop:
    "The part of the image that is resized to the model's input: all of it (`squash`), the square in its middle (`center`), or a " +
    "rectangle x0,y0,x1,y1 in fractions of the upright image. The default is the model's.",
  region:
    "A rectangle that is labelled for itself, in place of the crop: NAME:x0,y0,x1,y1 in fractions of the upright image, or " +
    "NAME alone for one of the model's regions. May be repeated. The default is all regions of the model.",
  precision: "The arithmetic of the network. The default is the model's. Not every model has every precision.",
  scale:
    "Whether a JPEG that is much larger than the model's input may be decoded at a smaller scale (auto) or not (full). " +
    "The default is full with the precision exact, else auto.",
  exif: "Whether to apply the orientation that the camera wrote into the file.",
  explain:
    "The rank of the label to explain by a heat map: 1 is the top-1 label. Not every network can explain its labels.",
  parts: "The pooled vector at length 1, or all parts of which heads are taught, as the network computes them.",
  since: "Only results after this cursor: the `next` of a row, or 0.",
  before: "Only results before this cursor: the `next` of a row.",
  limit: "The number of rows at most.",
  device: "Only results of this device.",
  order: "Whether the oldest or the newest results come first.",
} as const satisfies Record<string, string>;

/** Constraints that the schemas do not show: code checks cursors and rectangles. */
const RECTANGLE = "(\\d+(\\.\\d*)?|\\.\\d+)(,(\\d+(\\.\\d*)?|\\.\\d+)){3}";

const SHAPES: Record<string, Json> = {
  crop: { type: "string", pattern: `^(squash|center|${RECTANGLE})$` },
  region: { type: "array", items: { type: "string", pattern: `^[\\w.-]{1,64}(:${RECTANGLE})?$` } },
  since: { type: "string", pattern: "^r?\\d{1,15}$" },
  before: { type: "string", pattern: "^r?\\d{1,15}$" },
};

const QUERIES = {
  explain: explainQuery,
  features: featuresQuery,
  label: labelQuery,
  results: resultsQuery,
  erasure: erasureQuery,
};
const REQUESTS = {
  Images: imagesJson,
  ClassificationRequest: classificationRequest,
  InferenceRequest: inferenceRequest,
};

/** zod limits every integer to JavaScript's safe range. */
function withoutBounds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutBounds);
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([name, value]) => name !== "$schema" && Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER,
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutBounds(value)]));
}

const jsonSchema = (schema: z.ZodMiniType, io: "input" | "output"): Json =>
  withoutBounds(z.toJSONSchema(schema, { io, unrepresentable: "any" })) as Json;

function queryParameters({ query }: Operation): Parameter[] {
  if (query === undefined) return [];
  const { properties } = jsonSchema(QUERIES[query.of], "output") as { properties: Record<string, Json> };
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (query.without?.includes(name)) return [];
    if (!(name in ABOUT)) throw new Error(`The parameter ${name} is not described.`);
    return [{ name, in: "query", description: ABOUT[name as keyof typeof ABOUT], schema: SHAPES[name] ?? schema }];
  });
}

const parameter = ({ name, in: where, description, schema = { type: "string" }, example }: Parameter): Json => ({
  name,
  in: where,
  description,
  ...(where === "path" && { required: true }),
  schema,
  ...(example !== undefined && { example }),
});

const content = (contents: Readonly<Record<string, Content>>): Json =>
  Object.fromEntries(
    Object.entries(contents).map(([type, { schema, example }]) => {
      const whole = schema === undefined ? { type: "string" } : { $ref: `#/components/schemas/${schema}` };
      // Bytes have no schema in OpenAPI 3.1.
      const bytes = type === "application/octet-stream" || type === "image/png";
      const form = {
        type: "object",
        additionalProperties: { type: "string", contentMediaType: "application/octet-stream" },
      };
      return [
        type,
        {
          ...(!bytes && { schema: type === "multipart/form-data" ? form : whole }),
          ...(example !== undefined && { example }),
        },
      ];
    }),
  );

const ERROR_FORMS = {
  problem: { "application/problem+json": { schema: "Problem" } },
  json: { "application/json": { schema: "Problem" } },
  message: { "application/json": { schema: "Message" } },
} as const satisfies Record<string, Record<string, Content>>;

/** The titles of all kinds of errors with a status. */
function titles(status: number): string {
  const found = Object.entries(KINDS).flatMap(([kind, [code, title]]) =>
    code === status ? [`${title} (\`${kind}\`)`] : [],
  );
  return found.length === 0 ? "An error." : `${found.join(". ")}.`;
}

/** The headers of a response that may be cached. */
const KEPT: Json = {
  ETag: { description: "Identifies image, model and parameters. Only for a single image.", schema: { type: "string" } },
  "Cache-Status": {
    description: "Whether the answer came from the result cache (RFC 9211).",
    schema: { type: "string" },
  },
};

function responses(operation: Operation): Json {
  const { status, answer, headers, kept = false, errors, errorForm = "problem", scope } = operation;
  const good = {
    description: status === 204 ? "Success. The answer is empty." : "Success.",
    ...((headers !== undefined || kept) && {
      headers: {
        ...Object.fromEntries(
          Object.entries(headers ?? {}).map(([name, header]) => {
            const { description, type } = typeof header === "string" ? { description: header, type: "number" } : header;
            return [name, { description, schema: { type } }];
          }),
        ),
        ...(kept && KEPT),
      },
    }),
    ...(answer !== undefined && { content: content(answer) }),
  };
  const all = [...errors, ...(scope === "open" ? [] : [401, 403, 429])].sort((a, b) => a - b);
  const bad = all.map((code) => [
    code,
    {
      description: titles(code),
      content: content(ERROR_FORMS[errorForm]),
      ...((code === 503 || code === 429) && {
        headers: {
          "Retry-After": { description: "The number of seconds after which to retry.", schema: { type: "integer" } },
        },
      }),
    },
  ]);
  const known = kept ? [[304, { description: "The caller already has the answer.", headers: KEPT }]] : [];
  return Object.fromEntries([[status, good], ...known, ...bad]);
}

function operationObject(operation: Operation): Json {
  const { id, tag, summary, description, body, scope, parameters = [] } = operation;
  const all = [...parameters, ...queryParameters(operation)];
  const named = all.filter(({ name, in: where }, i) => all.findIndex((p) => p.name === name && p.in === where) === i);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(named.length > 0 && { parameters: named.map(parameter) }),
    ...(body !== undefined && { requestBody: { required: true, content: content(body) } }),
    responses: responses(operation),
    // The scope that a token needs, or no token, for a labeler without one: that one refuses calls of the scope admin.
    security: scope === "open" ? [] : [{ token: [scope] }, ...(scope === "admin" ? [] : [{}])],
  };
}

/** The document, which can be serialised as JSON. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    (paths[operation.path] as Json)[operation.method] = operationObject(operation);
  }
  const schemas = [
    ...Object.entries(REQUESTS).map(([name, schema]) => [name, jsonSchema(schema, "input")]),
    ...Object.entries(answers).map(([name, schema]) => [name, jsonSchema(schema, "output")]),
  ];
  return {
    openapi: "3.1.1",
    info: {
      title: "Edge Labeler",
      version: PRODUCT_VERSION,
      description:
        "Classifies images at the edge of the network. Errors are problem details (RFC 9457). Under /ekuiper/ their type is " +
        "application/json, and the other protocols have a form of their own.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The labeler that serves this description" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "Required if the labeler has tokens. Each call names the scope that the token needs.",
        },
      },
    },
  };
}
