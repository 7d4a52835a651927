/** From a request to its labels: what the routes that label have in common. */
import type { Context } from "hono";
import { Answers } from "../answers.ts";
import { LabelerError } from "../errors.ts";
import { type Explained, explainOne } from "../explain/explain-image.ts";
import { Pieces } from "../image/pieces.ts";
import { type LabelContext, type Labelled, type LabelOptions, labelOne, prepareModel } from "../label-image.ts";
import { labelMany, type Outcome } from "../label-many.ts";
import { Counter } from "../metrics.ts";
import { Catalogue, type ModelSource } from "../model/catalogue.ts";
import { readWhole } from "../read-whole.ts";
import { atOnce } from "../runtime/execute.ts";
import { Semaphore } from "../runtime/semaphore.ts";
import { openBody } from "./body.ts";
import { callerOf } from "./client-address.ts";
import { type Images, imagesOf } from "./image-body.ts";
import { parseQuery } from "./query.ts";
import { type AppEnv, settingsOf } from "./settings.ts";
import { wholeBody } from "./whole-body.ts";

/** For /metrics. */
export const loads = new Counter("edge_labeler_model_loads_total", "Models loaded, by name and outcome.");

let shared: Catalogue | undefined;

/** The isolate's catalogue: the weights in it outlive the requests. */
export function catalogueOf(c: Context<AppEnv>): Catalogue {
  shared ??= new Catalogue({
    cacheBytes: settingsOf(c.env).MODEL_CACHE_BYTES,
    onLoad: (model, outcome) => loads.add({ model, outcome }),
  });
  return shared;
}

const answers = new Answers();

let slots: Semaphore | undefined;

/** Slots beyond MAX_CONCURRENT that only small images get. */
const EXPRESS = 2;

/** How much the isolate labels at once: its memory is bounded, and it has one processor. */
export function slotsOf(c: Context<AppEnv>): Semaphore {
  const { MAX_CONCURRENT: capacity, MAX_WAITING: queueLimit, MAX_WAIT_MS: patience } = settingsOf(c.env);
  slots ??= new Semaphore({
    capacity,
    express: EXPRESS,
    queueLimit,
    patience,
    resource: "slots for labelling",
    fair: true,
  });
  return slots;
}

/** Memory for images that are read before there is a slot for them, in bytes: some 100 of those that cameras send. */
const BUFFER_BYTES = 8 << 20;

let buffers: Semaphore | undefined;

/** The budget of images that are read before there is a slot for them. */
export function buffersOf(c: Context<AppEnv>): Semaphore {
  const { MAX_WAIT_MS: patience } = settingsOf(c.env);
  buffers ??= new Semaphore({ capacity: BUFFER_BYTES, patience, resource: "memory for images" });
  return buffers;
}

/** The models' folder as the ASSETS binding serves it. */
export function sourceOf(c: Context<AppEnv>): ModelSource {
  return {
    async read(path, size) {
      const response = await c.env.ASSETS.fetch(`http://assets/${path}`);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`reading ${path} gave status ${response.status}`);
      if (size !== undefined && response.body !== null) return readWhole(response.body, size);
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

/** What labelOne() and labelMany() need to know of this request's labeler. */
export function labelContext(c: Context<AppEnv>): LabelContext {
  const { DEFAULT_MODEL, MAX_PIXELS, CACHE_ANSWERS } = settingsOf(c.env);
  return {
    catalogue: catalogueOf(c),
    source: sourceOf(c),
    defaultModel: DEFAULT_MODEL,
    maxPixels: MAX_PIXELS,
    slots: slotsOf(c),
    buffers: buffersOf(c),
    execute: c.get("execute"),
    executeInParts: c.get("executeInParts"),
    onMuchWork: c.get("onMuchWork"),
    client: callerOf(c),
    answers: CACHE_ANSWERS ? answers : undefined,
    revision: c.env.CF_VERSION_METADATA?.id,
    trace: c.get("trace"),
    signal: c.req.raw.signal,
  };
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
  const source = { ...body, pieces: new Pieces(body.pieces) };
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
    const watched = new Pieces(observed(one.pieces, observe));
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
