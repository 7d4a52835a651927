/** From a request to its labels: what the routes that label have in common. */
import type { Context } from "hono";
import { Pieces } from "../image/pieces.ts";
import { type Labelled, labelImage } from "../label-image.ts";
import { Catalogue, type ModelSource } from "../model/catalogue.ts";
import { openBody } from "./body.ts";
import { imageOf } from "./image-body.ts";
import { parseQuery } from "./query.ts";
import { type AppEnv, settingsOf } from "./settings.ts";

let shared: Catalogue | undefined;

/** The isolate's catalogue: the weights in it outlive the requests. */
export function catalogueOf(c: Context<AppEnv>): Catalogue {
  shared ??= new Catalogue({ cacheBytes: settingsOf(c.env).MODEL_CACHE_BYTES });
  return shared;
}

/** The models' folder as the ASSETS binding serves it. */
export function sourceOf(c: Context<AppEnv>): ModelSource {
  return {
    async read(path) {
      const response = await c.env.ASSETS.fetch(`http://assets/${path}`);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`reading ${path} gave status ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    keepAlive: (work) => c.executionCtx.waitUntil(work),
  };
}

export interface LabelRequestOptions {
  /** The parameters that say how to label; the request's query if absent. */
  readonly queries?: Record<string, string[]>;
  /** Gets the image's bytes as they are labelled, and then those behind its end. A piece holds until the promise does. */
  readonly observe?: ((piece: Uint8Array) => Promise<void>) | undefined;
}

async function* observed(pieces: Pieces, observe: (piece: Uint8Array) => Promise<void>): AsyncGenerator<Uint8Array> {
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
    await observe(piece);
    yield piece;
  }
}

async function exhaust(pieces: Pieces): Promise<void> {
  while ((await pieces.next()) !== undefined);
}

/**
 * Labels the image in the request's body as its query says.
 *
 * @throws LabelerError for every mistake in query, body or image.
 */
export async function labelRequest(
  c: Context<AppEnv>,
  { queries = c.req.queries(), observe }: LabelRequestOptions = {},
): Promise<Labelled> {
  const settings = settingsOf(c.env);
  const { model: name = settings.DEFAULT_MODEL, top, min, crop, exif } = parseQuery(queries);
  const [catalogue, source] = [catalogueOf(c), sourceOf(c)];
  // Before the body: an unknown model is said at once, and a cold one loads while the image is still coming.
  const model = await catalogue.describe(name, source);
  const classifier = () => catalogue.get(name, source);
  classifier().catch(() => undefined);
  const body = openBody(c.req.raw, settings.MAX_BODY_BYTES);
  const pieces = new Pieces(body.pieces);
  try {
    const image = await imageOf(pieces, body.size, c.req.header("content-type") ?? "", settings.MAX_FORM_BYTES);
    const options = { top, min, crop, exif, maxPixels: settings.MAX_PIXELS };
    if (observe === undefined) return await labelImage(image, model, classifier, options);
    const watched = new Pieces(observed(image.pieces, observe));
    try {
      return await labelImage({ pieces: watched, size: image.size }, model, classifier, options);
    } finally {
      await exhaust(watched);
    }
  } finally {
    // What is left of the body is taken in while the answer is on its way already.
    c.executionCtx.waitUntil(pieces.close());
  }
}
