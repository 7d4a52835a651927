/** /v2: the Open Inference Protocol, so that clients of KServe, Triton and the like can use the labeler as it is. */

import { type Context, Hono } from "hono";
import { version } from "../../package.json";
import { LabelerError } from "../errors.ts";
import type { AppEnv } from "../http/app-env.ts";
import { imageFromBase64 } from "../http/base64-image.ts";
import { openBody } from "../http/body.ts";
import { setImageHeaders } from "../http/image-notes.ts";
import { catalogueOf, labelContext, sourceOf } from "../http/labeler.ts";
import { modelQuery } from "../http/query.ts";
import { requires } from "../http/scopes.ts";
import { wholeBody } from "../http/whole-body.ts";
import type { DecodedImage } from "../image/decode.ts";
import { admitted } from "../labeling/admission.ts";
import type { LabelContext } from "../labeling/context.ts";
import { pixelsOf } from "../labeling/decode-input.ts";
import { imageFrom } from "../labeling/image-source.ts";
import { type Model, prepareModel } from "../labeling/prepare-model.ts";
import type { LabelOptions } from "../labeling/types.ts";
import type { IndexEntry } from "../model/index-entry.ts";
import { checkUsable } from "../model/index-files.ts";
import { INPUT, type Inference, parseInference } from "../open-inference/request.ts";
import { answerOf, FEATURES, type InferredImage, OUTPUTS, wantsFeatures } from "../open-inference/response.ts";
import type { Parts } from "../runtime/parts.ts";
import { settingsOf } from "../settings/settings.ts";
import { normalise } from "../teaching/features.ts";
import { quote } from "../validation/quote.ts";

/** The models here have one version each. */
const VERSION = "1";
const JSON_LENGTH = "inference-header-content-length";

const bad = (detail: string) => new LabelerError("bad-body", detail);

/** The images of a tensor, each [height, width, 3]: views of its data. */
function imagesOf<T extends Uint8Array | Float32Array>(data: T, shape: readonly number[], { input }: IndexEntry): T[] {
  const size = [input?.height, input?.width, 3];
  const whole = shape.length === 3 ? [1, ...shape] : shape;
  if (whole.length !== 4 || size.some((dim, axis) => dim !== whole[axis + 1])) {
    throw bad(`The input's shape is ${quote(shape)}; the model takes [images, ${size.join(", ")}].`);
  }
  const values = data.length / (whole[0] || 1);
  return Array.from({ length: whole[0] ?? 0 }, (_, i) => data.subarray(i * values, (i + 1) * values) as T);
}

/** An image's scores, and what is to be said of it where it was sent as a file. */
interface Inferred extends InferredImage {
  readonly image?: DecodedImage;
}

/** What is inferred, an image each: a function that gives the confidences of its labels, and features if they are wanted. */
function inferencesOf(
  { input, ...inference }: Inference,
  model: Model,
  options: LabelOptions,
  context: LabelContext,
): readonly (() => Promise<Inferred>)[] {
  const featured = wantsFeatures({ input, ...inference });
  /** All labels are ranked: the protocol's clients may ask for more of them than `top`. */
  const infer = (values: Uint8Array | Float32Array) =>
    model.run(function* (classifier): Parts<InferredImage> {
      const all = { top: classifier.labels.length, min: 0 };
      if (featured) {
        const { scores, features } = yield* classifier.scoresWithFeatures(values);
        const ranked = classifier.rank(scores, all);
        return { probabilities: scores.confidences, ranked, features: normalise(features.pooled) };
      }
      const scores = yield* values instanceof Uint8Array ? classifier.scores(values) : classifier.scoresOf(values);
      return { probabilities: scores.confidences, ranked: classifier.rank(scores, all) };
    });
  const { datatype, shape } = input;
  if (datatype === "BYTES") {
    return input.data.map((item) => async () => {
      const image = item instanceof Uint8Array ? imageFrom(item) : await imageFromBase64(item);
      const decoded = await pixelsOf(image, model, options, context);
      context.trace?.images.push({ format: decoded.format, model: model.entry.name, cache: "bypass" });
      return { ...(await infer(decoded.pixels)), image: decoded };
    });
  }
  if (datatype === "UINT8") {
    const images = imagesOf(input.data, shape, model.entry);
    return images.map((pixels) => () => infer(pixels));
  }
  const images = imagesOf(input.data, shape, model.entry);
  if (model.entry.input?.type !== "float32") {
    throw bad("This model's input is quantised: send pixels as UINT8, or image files as BYTES.");
  }
  return images.map((values) => () => infer(values));
}

/** The confidences of the labels for each image of a tensor. */
async function infer(asked: Inference, model: Model, options: LabelOptions, context: LabelContext, limit: number) {
  const inferences = inferencesOf(asked, model, options, context);
  const count = inferences.length;
  if (count === 0) throw bad("The input has no images in it.");
  if (count > limit) {
    throw new LabelerError(
      "too-many-images",
      `The input has ${count} images and the limit is ${limit}. Send fewer at once, or raise the setting MAX_IMAGES.`,
    );
  }
  const images: Inferred[] = [];
  for (const inference of inferences) images.push(await inference());
  return images;
}

/** @throws LabelerError of kind not-found for a version that there is not. */
function checkVersion(c: Context<AppEnv>): void {
  const version = c.req.param("version");
  if (version !== undefined && version !== VERSION) {
    throw new LabelerError("not-found", `There is no version ${quote(version)} of this model; there is ${VERSION}.`);
  }
}

const nameOf = (c: Context<AppEnv>): string => c.req.param("name") ?? "";

async function metadata(c: Context<AppEnv>): Promise<Response> {
  checkVersion(c);
  const entry = await catalogueOf(c).describe(nameOf(c), sourceOf(c));
  checkUsable(entry);
  const { name, classes = 0, features } = entry;
  const shapes = { labels: [-1, -1], confidences: [-1, -1], probabilities: [-1, classes] };
  return c.json({
    name,
    versions: [VERSION],
    platform: "tensorflow_lite",
    inputs: [{ name: INPUT, datatype: "BYTES", shape: [-1] }],
    outputs: [
      ...OUTPUTS.map((output) => ({
        name: output,
        datatype: output === "labels" ? "BYTES" : "FP32",
        shape: shapes[output],
      })),
      ...(features === undefined ? [] : [{ name: FEATURES, datatype: "FP32", shape: [-1, features] }]),
    ],
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
  const queries = c.req.queries();
  if (queries.min !== undefined) {
    throw new LabelerError(
      "bad-parameter",
      "min: is not for this call, whose outputs have as many labels for each image.",
    );
  }
  const options = { ...modelQuery(queries, nameOf(c)), oneAnswer: true };
  const context = labelContext(c);
  const model = await prepareModel(options, context);
  const body = await wholeBody(c, openBody(c, "MAX_FORM_BYTES"));
  const { MAX_IMAGES: maxImages } = settingsOf(c.env);
  const inference = await parseInference(body, c.req.header(JSON_LENGTH), { maxImages, execute: c.get("execute") });
  const images = await admitted(context, body.length, (context) =>
    infer(inference, model, options, context, maxImages),
  );
  // The protocol does not have a place for notes on each of several images.
  const [first] = images;
  if (images.length === 1 && first?.image !== undefined) setImageHeaders(c, first.image);
  const { labels } = await model.classifier();
  const answer = answerOf(model.entry.name, inference, { images, labels, top: options.top });
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

/** Triton's model repository extension: what is installed. Every model is loaded when it is wanted. */
async function repositoryIndex(c: Context<AppEnv>): Promise<Response> {
  const models = await catalogueOf(c).list(sourceOf(c));
  return c.json(
    models.map(({ name, error }) => ({
      name,
      version: VERSION,
      state: error === undefined ? "READY" : "UNAVAILABLE",
      reason: error ?? "",
    })),
  );
}

export const openInference = new Hono<AppEnv>()
  .get("/", label, (c) =>
    c.json({ name: "edge-labeler", version, extensions: ["binary_tensor_data", "classification"] }),
  )
  .post("/repository/index", label, repositoryIndex)
  .get("/models/:name", label, metadata)
  .get("/models/:name/ready", label, modelReady)
  .post("/models/:name/infer", label, inferModel)
  .get("/models/:name/versions/:version", label, metadata)
  .get("/models/:name/versions/:version/ready", label, modelReady)
  .post("/models/:name/versions/:version/infer", label, inferModel);
