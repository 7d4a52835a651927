/**
 * POST /models/NAME: Hugging Face's image-classification task, so that its clients can use the labeler as it is. The image
 * comes raw, or as base64 in `inputs`.
 */
import { type Context, Hono } from "hono";
import * as z from "zod/mini";
import { LabelerError } from "../errors.ts";
import { openBody } from "../http/body.ts";
import { classificationRequest } from "../http/classification-request.ts";
import { imageFromBase64 } from "../http/image-body.ts";
import { labelContext } from "../http/label-request.ts";
import { modelQuery } from "../http/query.ts";
import { requires } from "../http/scopes.ts";
import { type AppEnv, settingsOf } from "../http/settings.ts";
import { wholeBody } from "../http/whole-body.ts";
import { Pieces } from "../image/pieces.ts";
import { isImage, SNIFF_BYTES } from "../image/sniff.ts";
import { type ImageSource, labelOne, prepareModel } from "../label-image.ts";
import { faultsOf } from "../schema-messages.ts";
import { inTurn } from "../turns.ts";

const OPENING_BRACE = 0x7b;

const bad = (detail: string, cause?: unknown) => new LabelerError("bad-body", detail, { cause });

interface Asked {
  readonly image: ImageSource;
  /** How many labels, where the body says so. */
  readonly top: number | undefined;
}

function parse(body: Uint8Array): Asked {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    throw bad(`The body looks like JSON and cannot be read as such: ${(error as Error).message}.`, error);
  }
  const { success, data, error } = z.safeParse(classificationRequest, json);
  if (!success) throw bad(`The request, ${faultsOf(error)}.`);
  return { image: imageFromBase64(data.inputs), top: data.parameters?.top_k ?? undefined };
}

/** The image of a request; one that is sent as it is, is not waited for. */
async function imageOf(c: Context<AppEnv>): Promise<Asked> {
  const { MAX_BODY_BYTES } = settingsOf(c.env);
  const body = openBody(c.req.raw, MAX_BODY_BYTES);
  const pieces = new Pieces(body.pieces);
  const beginning = await pieces.peek(SNIFF_BYTES);
  const first = beginning.find((byte) => byte > 0x20);
  if (isImage(beginning) || first !== OPENING_BRACE) return { image: { pieces, size: body.size }, top: undefined };
  const whole = await wholeBody(c, pieces, body.size);
  return inTurn(whole.length, () => parse(whole));
}

export const huggingFace = new Hono<AppEnv>().post("/:name", requires("label"), async (c) => {
  const options = modelQuery(c.req.queries(), c.req.param("name"));
  const context = labelContext(c);
  await prepareModel(options, context);
  const { image, top = options.top } = await imageOf(c);
  const { labels } = await labelOne(image, { ...options, top }, context);
  return c.json(labels.map(({ label, confidence }) => ({ label, score: confidence })));
});
