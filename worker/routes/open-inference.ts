/** /v2: the Open Inference Protocol, so that clients of KServe, Triton and the like can use the labeler as it is. */
import { type Context, Hono } from "hono";
import { LabelerError } from "../errors.ts";
import { openBody } from "../http/body.ts";
import { imageFromBase64 } from "../http/image-body.ts";
import { catalogueOf, labelContext, sourceOf } from "../http/label-request.ts";
import { modelQuery } from "../http/query.ts";
import { requires } from "../http/scopes.ts";
import { type AppEnv, settingsOf } from "../http/settings.ts";
import { wholeBody } from "../http/whole-body.ts";
import { Pieces } from "../image/pieces.ts";
import {
  admitted,
  imageFrom,
  type LabelContext,
  type LabelOptions,
  type Model,
  pixelsOf,
  prepareModel,
} from "../label-image.ts";
import type { IndexEntry } from "../model/index-entry.ts";
import { INPUT, type InputTensor, parseInference } from "../open-inference/request.ts";
import { answerOf, OUTPUTS } from "../open-inference/response.ts";
import { inTurn } from "../turns.ts";

/** The models here have one version each. */
const VERSION = "1";
const JSON_LENGTH = "inference-header-content-length";

const bad = (detail: string) => new LabelerError("bad-body", detail);

/** The pixels or normalised values of images that came as a tensor, each [height, width, 3]. */
function images<T extends Uint8Array | Float32Array>(data: T, shape: readonly number[], { input }: IndexEntry): T[] {
  const size = [input?.height, input?.width, 3];
  const whole = shape.length === 3 ? [1, ...shape] : shape;
  if (whole.length !== 4 || size.some((dim, axis) => dim !== whole[axis + 1])) {
    throw bad(`The input's shape is [${shape.join(", ")}]; the model takes [images, ${size.join(", ")}].`);
  }
  const values = data.length / (whole[0] || 1);
  return Array.from({ length: whole[0] ?? 0 }, (_, i) => data.subarray(i * values, (i + 1) * values) as T);
}

/** The probabilities of the classes for each image of a tensor. */
async function infer(input: InputTensor, model: Model, options: LabelOptions, context: LabelContext, limit: number) {
  const count = input.datatype === "BYTES" ? input.data.length : images(input.data, input.shape, model.entry).length;
  if (count === 0) throw bad("The input has no images in it.");
  if (count > limit) {
    throw new LabelerError(
      "too-many-images",
      `The input has ${count} images and the limit is ${limit}. Send fewer at once, or raise the setting MAX_IMAGES.`,
    );
  }
  if (input.datatype === "FP32" && model.entry.input?.type !== "float32") {
    throw bad(`This model's input is quantised: send pixels as UINT8, or image files as BYTES.`);
  }
  const probabilities: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    context.alive?.();
    if (input.datatype === "BYTES") {
      const item = input.data[i] ?? "";
      const image = typeof item === "string" ? imageFromBase64(item) : imageFrom(item);
      const { pixels } = await pixelsOf(image, model, options, context);
      probabilities.push(await model.run((classifier) => classifier.probabilities(pixels).slice()));
    } else if (input.datatype === "UINT8") {
      const pixels = images(input.data, input.shape, model.entry)[i];
      probabilities.push(await model.run((classifier) => classifier.probabilities(pixels).slice()));
    } else {
      const values = images(input.data, input.shape, model.entry)[i];
      probabilities.push(await model.run((classifier) => classifier.probabilitiesOf(values).slice()));
    }
  }
  return probabilities;
}

/** @throws LabelerError of kind not-found for a version that there is not. */
function checkVersion(c: Context<AppEnv>): void {
  const version = c.req.param("version");
  if (version !== undefined && version !== VERSION) {
    throw new LabelerError("not-found", `There is no version "${version}" of this model; there is ${VERSION}.`);
  }
}

const nameOf = (c: Context<AppEnv>): string => c.req.param("name") ?? "";

async function metadata(c: Context<AppEnv>): Promise<Response> {
  checkVersion(c);
  const { name, classes = 0, error } = await catalogueOf(c).describe(nameOf(c), sourceOf(c));
  if (error !== undefined) throw new LabelerError("model-unusable", error);
  const shapes = { labels: [-1, -1], confidences: [-1, -1], probabilities: [-1, classes] };
  return c.json({
    name,
    versions: [VERSION],
    platform: "tensorflow_lite",
    inputs: [{ name: INPUT, datatype: "BYTES", shape: [-1] }],
    outputs: OUTPUTS.map((output) => ({
      name: output,
      datatype: output === "labels" ? "BYTES" : "FP32",
      shape: shapes[output],
    })),
  });
}

/** Loads the model if need be. */
async function modelReady(c: Context<AppEnv>): Promise<Response> {
  checkVersion(c);
  const model = await prepareModel({ model: nameOf(c) }, labelContext(c));
  await model.run((classifier) => classifier.warm());
  return c.json({ name: model.entry.name, ready: true });
}

async function inferModel(c: Context<AppEnv>): Promise<Response> {
  checkVersion(c);
  const settings = settingsOf(c.env);
  const queries = c.req.queries();
  if (queries.min !== undefined) {
    throw new LabelerError(
      "bad-parameter",
      "min: is not for this call, whose outputs have as many labels for each image.",
    );
  }
  const options = modelQuery(queries, nameOf(c));
  const context = labelContext(c);
  const model = await prepareModel(options, context);
  const { pieces, size } = openBody(c.req.raw, settings.MAX_FORM_BYTES);
  const body = await wholeBody(c, new Pieces(pieces), size);
  const jsonLength = c.req.header(JSON_LENGTH);
  const inference = await inTurn(body.length, () =>
    parseInference(body, jsonLength === undefined ? undefined : Number(jsonLength)),
  );
  const probabilities = await admitted(context, (context) =>
    infer(inference.input, model, options, context, settings.MAX_IMAGES),
  );
  const { labels } = await model.classifier();
  const answer = answerOf(model.entry.name, inference, { probabilities, labels, top: options.top });
  if (answer.jsonLength === undefined) return c.body(answer.body, 200, { "content-type": "application/json" });
  c.header(JSON_LENGTH, String(answer.jsonLength));
  return c.body(answer.body, 200, { "content-type": "application/octet-stream" });
}

/** Probes, which need no token. */
export const openInferenceHealth = new Hono<AppEnv>()
  .get("/health/live", requires("open"), (c) => c.json({ live: true }))
  .get("/health/ready", requires("open"), async (c) => {
    const model = await prepareModel({}, labelContext(c));
    await model.run((classifier) => classifier.warm());
    return c.json({ ready: true });
  });

const label = requires("label");

export const openInference = new Hono<AppEnv>()
  .get("/", label, (c) =>
    c.json({ name: "edge-labeler", version: "0.1.0", extensions: ["binary_tensor_data", "classification"] }),
  )
  .get("/models/:name", label, metadata)
  .get("/models/:name/ready", label, modelReady)
  .post("/models/:name/infer", label, inferModel)
  .get("/models/:name/versions/:version", label, metadata)
  .get("/models/:name/versions/:version/ready", label, modelReady)
  .post("/models/:name/versions/:version/infer", label, inferModel);
