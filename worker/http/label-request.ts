/** From a request to its labels: what the routes that label have in common. */
import type { Context } from "hono";
import { LabelerError } from "../errors.ts";
import type { LabelContext } from "../labeling/context.ts";
import { type Explained, explainOne } from "../labeling/explain/explain-image.ts";
import { labelOne } from "../labeling/label-image.ts";
import { labelMany, type Outcome } from "../labeling/label-many.ts";
import { prepareModel } from "../labeling/prepare-model.ts";
import type { Labelled, LabelOptions } from "../labeling/types.ts";
import { ByteStream } from "../runtime/byte-stream.ts";
import { atOnce } from "../runtime/execute.ts";
import { settingsOf } from "../settings/settings.ts";
import type { AppEnv } from "./app-env.ts";
import { openBody } from "./body.ts";
import { type Images, imagesOf } from "./image-body.ts";
import { labelContext } from "./labeler.ts";
import { parseQuery } from "./query.ts";
import { wholeBody } from "./whole-body.ts";

export interface LabelRequestOptions {
  /** The parameters that say how to label; the request's query if absent. */
  readonly queries?: Record<string, string[]>;
  /** Gets the image's bytes as they are labelled, and then those behind its end. A piece holds until the promise does. */
  readonly observe?: ((piece: Uint8Array) => Promise<void>) | undefined;
}

async function exhaust(pieces: ByteStream): Promise<void> {
  while ((await pieces.next()) !== undefined);
}

/**
 * Finds the images in the request's body and has them labelled.
 *
 * @throws LabelerError for every mistake in body or image; and whatever `label` throws.
 */
async function withImages<T>(
  c: Context<AppEnv>,
  options: LabelOptions,
  label: (images: Images, context: LabelContext) => Promise<T>,
  onKey?: (key: string) => void,
): Promise<T> {
  const { MAX_BODY_BYTES, MAX_IMAGES } = settingsOf(c.env);
  const context = { ...labelContext(c), onKey };
  // Before the body: an unknown model is said at once, and a cold one loads while the image is still coming.
  await prepareModel(options, context);
  const body = openBody(c.req.raw, MAX_BODY_BYTES);
  const source = { ...body, pieces: new ByteStream(body.pieces) };
  const found = await imagesOf(source, c.req.header("content-type") ?? "", {
    whole: () => wholeBody(c, source),
    maxImages: MAX_IMAGES,
    execute: context.execute ?? atOnce,
  });
  return label(found, context);
}

/**
 * Labels the image in the request's body as its query says.
 *
 * @throws LabelerError for every mistake in query, body or image; several images are one.
 */
export function labelRequest(
  c: Context<AppEnv>,
  { queries = c.req.queries(), observe }: LabelRequestOptions = {},
): Promise<Labelled> {
  const options = parseQuery(queries);
  return withImages(c, options, async ({ one }, context) => {
    if (one === undefined) throw new LabelerError("bad-body", "This call takes one image. Send several to /label.");
    if (observe === undefined) return labelOne(one, options, context);
    const watched = one.pieces.tap(observe);
    try {
      return await labelOne({ ...one, pieces: watched }, options, context);
    } finally {
      await exhaust(watched);
    }
  });
}

/**
 * Labels the image, or the several images, in the request's body as its query says.
 *
 * @param onKey See LabelContext; for a single image alone.
 * @throws LabelerError for every mistake in query or body, and for a single image's; of several, each has its own error.
 */
export function labelRequests(c: Context<AppEnv>, onKey: (key: string) => void): Promise<Labelled | Outcome[]> {
  const options = parseQuery(c.req.queries());
  return withImages<Labelled | Outcome[]>(
    c,
    options,
    ({ one, many }, context) =>
      one === undefined ? labelMany(many, options, { ...context, onKey: undefined }) : labelOne(one, options, context),
    onKey,
  );
}

/**
 * Labels the image in the request's body and shows where a label is seen.
 *
 * @param rank Of that label; 1 is the best.
 * @throws LabelerError as labelRequest() does, and of kind no-explanation where the network has none.
 */
export function explainRequest(c: Context<AppEnv>, rank: number, options: LabelOptions): Promise<Explained> {
  return withImages(c, options, async ({ one }, context) => {
    if (one === undefined) throw new LabelerError("bad-body", "explain takes one image. Send several one by one.");
    return explainOne(one, rank, options, context);
  });
}
