/**
 * POST /models/NAME: Hugging Face's image-classification task, so that its clients can use the labeler as it is. The image
 * comes raw, or as base64 in `inputs`.
 */
import { type Context, Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { imageFromBase64 } from "../http/base64-image.ts";
import { openBody } from "../http/body.ts";
import { CLASSIFICATION_JSON, classificationRequest } from "../http/classification-request.ts";
import { firstByte, plainImage } from "../http/image-body.ts";
import { setImageHeaders } from "../http/image-notes.ts";
import { labelContext } from "../http/labeler.ts";
import { modelQuery } from "../http/query.ts";
import { requires } from "../http/scopes.ts";
import { wholeBody } from "../http/whole-body.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { readJson } from "../json/read-json.ts";
import { labelOne } from "../labeling/label-image.ts";
import { prepareModel } from "../labeling/prepare-model.ts";
import type { ImageSource } from "../labeling/types.ts";

const OPENING_BRACE = 0x7b;

interface Asked {
  readonly image: ImageSource;
  /** How many labels, where the body says so. */
  readonly top: number | undefined;
}

/** The image of a request; one that is sent as it is, is not waited for. */
async function imageOf(c: Context<AppEnv>): Promise<Asked> {
  const source = openBody(c);
  const beginning = await source.stream.peek(SNIFF_BYTES);
  if (isImage(beginning) || firstByte(beginning) !== OPENING_BRACE) {
    return { image: await plainImage(source, c.req.header("content-type") ?? ""), top: undefined };
  }
  const whole = await wholeBody(c, source);
  const { inputs, parameters } = await readJson(whole, CLASSIFICATION_JSON, classificationRequest, c.get("execute"));
  return { image: await imageFromBase64(inputs), top: parameters?.top_k ?? undefined };
}

export const huggingFace = new Hono<AppEnv>().post("/:name", requires("label"), async (c) => {
  const options = { ...modelQuery(c.req.queries(), c.req.param("name")), oneAnswer: true };
  const context = labelContext(c);
  await prepareModel(options, context);
  const { image, top = options.top } = await imageOf(c);
  const { labels, ...notes } = await labelOne(image, { ...options, top }, context);
  setImageHeaders(c, notes);
  return c.json(labels.map(({ label, confidence }) => ({ label, score: confidence })));
});
