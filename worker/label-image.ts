/**
 * The way of an image through the labeler: decode and resize while it comes in, infer, label. Every call that labels goes
 * through labelOne(), whatever the form its image came in. Knows nothing of HTTP.
 */
import type { Answers } from "./answers.ts";
import { Digest, sha256 } from "./digest.ts";
import { type DecodedImage, decodeToInput } from "./image/decode.ts";
import { Pieces } from "./image/pieces.ts";
import type { ImageFormat } from "./image/sniff.ts";
import type { Catalogue, ModelSource } from "./model/catalogue.ts";
import type { Classifier } from "./model/classifier.ts";
import { type IndexEntry, precisionFor } from "./model/index-entry.ts";
import type { Precision } from "./model/precision-name.ts";
import type { Crop } from "./model/spec.ts";
import type { Label } from "./model/top-k.ts";
import type { Slots } from "./slots.ts";
import type { Found, Trace } from "./trace.ts";
import { ran, turnToDecode, turnToInfer } from "./turns.ts";

/** The bytes of an image file, which may still be coming, and how many they will be if that is known. */
export interface ImageSource {
  readonly pieces: Pieces;
  readonly size: number | undefined;
}

export interface LabelOptions {
  /** The default model if absent. */
  readonly model?: string | undefined;
  /** How many labels at most. */
  readonly top: number;
  /** The least confidence of a label, 0..1. */
  readonly min: number;
  /** As the model says if absent. */
  readonly crop?: Crop | undefined;
  readonly exif: "apply" | "ignore";
  /** As the model says if absent. */
  readonly precision?: Precision | undefined;
}

/** What labelling needs beside the image: the same for all images of a request. */
export interface LabelContext {
  readonly catalogue: Catalogue;
  readonly source: ModelSource;
  readonly defaultModel: string;
  /** The largest image, in pixels. */
  readonly maxPixels: number;
  /** Bounds how much is decoded and inferred at once; unbounded if absent. */
  readonly slots?: Slots | undefined;
  /** Whether no other image is there: nobody is kept waiting by this one then. */
  readonly alone?: (() => boolean) | undefined;
  /** Where answers are kept; nowhere if absent. */
  readonly answers?: Answers | undefined;
  /** What else than image, model and parameters an answer depends on: the version of the code. */
  readonly revision?: string | undefined;
  /** Gets an answer's key before it is found or made. What it throws, labelOne() throws. */
  readonly onKey?: ((key: string) => void) | undefined;
  /** Where it is noted down what happens. */
  readonly trace?: Trace | undefined;
  /** Says that a slot is still in use. */
  readonly alive?: (() => void) | undefined;
  /** Aborted when whoever asked has gone: its slot is free then. */
  readonly signal?: AbortSignal | undefined;
}

export interface Labelled {
  readonly labels: Label[];
  /** How much of the picture is missing because its file ends early, 0..1. */
  readonly missing: number;
  /** The name of the model that labelled. */
  readonly model: string;
  readonly format: ImageFormat;
  /** The SHA-256 of image, model and parameters, in hexadecimal, where the image was read to its end and answers are kept. */
  readonly key?: string | undefined;
  /** Where the answer was found; undefined if it was made. */
  readonly found?: Found | undefined;
}

/** In bytes: a large image that is in memory already is decoded in steps of this size. */
const STEP = 64 << 10;

/** Pieces of what is there already, with room for other requests in between: decoding it at once would block them all. */
async function* steps(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += STEP) {
    yield bytes.subarray(at, at + STEP);
  }
}

/** An image whose file is in memory. */
export const imageFrom = (bytes: Uint8Array): ImageSource => ({
  pieces: new Pieces(bytes.length > STEP ? steps(bytes) : [bytes]),
  size: bytes.length,
});

/** Does something once there is a slot for it. What it calls with the context that it gets needs no other one. */
export async function admitted<T>(context: LabelContext, work: (context: LabelContext) => Promise<T>): Promise<T> {
  const { slots, signal } = context;
  if (slots === undefined) return work(context);
  const since = performance.now();
  const lease = await slots.acquire(1, signal).finally(() => context.trace?.took("wait", since));
  const release = () => lease.release();
  signal?.addEventListener("abort", release, { once: true });
  try {
    return await work({ ...context, slots: undefined, alive: () => lease.extend() });
  } finally {
    signal?.removeEventListener("abort", release);
    release();
  }
}

/** A decoder on the isolate's thread: how long it keeps it, from its turn until it waits for bytes or for another turn. */
class Decoding {
  readonly #context: LabelContext;
  #since: number | undefined;

  constructor(context: LabelContext) {
    this.#context = context;
  }

  /** Waits for its turn. */
  async begin(): Promise<void> {
    this.#context.alive?.();
    await turnToDecode(this.#context.alone?.());
    this.#since = performance.now();
  }

  end(): void {
    if (this.#since === undefined) return;
    ran(performance.now() - this.#since);
    this.#context.trace?.took("decode", this.#since);
    this.#since = undefined;
  }
}

/** The bytes of an image, each piece given when it is this image's turn; and so is their end, behind which some decode. */
async function* watched(pieces: Pieces, decoding: Decoding, { trace }: LabelContext): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const asked = performance.now();
    const piece = await pieces.next();
    trace?.took("receive", asked);
    if (trace !== undefined) trace.bytes += piece?.length ?? 0;
    await decoding.begin();
    if (piece === undefined) return;
    yield piece;
    decoding.end();
  }
}

export interface Model {
  readonly entry: IndexEntry;
  readonly precision: Precision;
  /** Runs the network when it is this request's turn. What `infer` does, it does at once: see classifier(). */
  run<T>(infer: (classifier: Classifier) => T): Promise<T>;
  /** Gives the loaded model. Asked when the pixels are there: it may be disposed of while one waits. */
  classifier(): Promise<Classifier>;
}

/**
 * Finds the model and starts to load it, so that a cold one loads while the image is still coming. To be called as early
 * as possible; labelOne() does it, too.
 *
 * @throws LabelerError of kind unknown-model, or bad-parameter if the model cannot have the precision.
 */
export async function prepareModel(
  { model, ...asked }: Pick<LabelOptions, "model" | "precision">,
  context: LabelContext,
): Promise<Model> {
  const { catalogue, source, defaultModel } = context;
  const name = model ?? defaultModel;
  const entry = await catalogue.describe(name, source);
  const precision = precisionFor(entry, asked.precision);
  const classifier = () => catalogue.get(name, source, precision);
  classifier().catch(() => undefined); // who needs the model learns of it
  const run = async <T>(infer: (classifier: Classifier) => T): Promise<T> => {
    await classifier();
    await turnToInfer(context.alone?.());
    const loaded = await classifier();
    const start = performance.now();
    try {
      return infer(loaded);
    } finally {
      ran(performance.now() - start);
      context.trace?.took("infer", start);
    }
  };
  return { entry, precision, classifier, run };
}

/** What is no larger is taken in whole before it is decoded: if its answer is known it need not be. In bytes. */
const SMALL = 256 << 10;

/** So much behind an image that was decoded already is waited for, to have the digest of the whole file. In bytes. */
const TAIL = 64 << 10;

/** The bytes of an image, which go into a digest on their way. */
async function* digested(pieces: Pieces, digest: Digest): AsyncGenerator<Uint8Array, void> {
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
    await digest.add(piece);
    yield piece;
  }
}

/** Reads on to the end of a file, if that is near. @returns Whether it is. */
async function endOf(pieces: Pieces, left: number | undefined): Promise<boolean> {
  if (left !== undefined && left > TAIL) return false;
  for (let read = 0; read <= TAIL; ) {
    const piece = await pieces.next();
    if (piece === undefined) return true;
    read += piece.length;
  }
  return false;
}

/** The key of an answer. @param image The SHA-256 of the image, in hexadecimal. */
function keyOf(
  image: string,
  { entry, precision }: Model,
  options: LabelOptions,
  context: LabelContext,
): Promise<string> {
  const { top, min, exif, crop = entry.crop } = options;
  const parts = [context.revision, image, entry.name, entry.version, entry.sha256, precision, crop, exif, top, min];
  return sha256(new Uint8Array(new TextEncoder().encode(JSON.stringify(parts))));
}

/**
 * Labels one image, or finds its labels.
 *
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, the model cannot be had, or the labeler
 *   is busy.
 * @example const { labels } = await labelOne(imageFrom(bytes), { top: 5, min: 0, exif: "apply" }, context);
 */
export async function labelOne(image: ImageSource, options: LabelOptions, context: LabelContext): Promise<Labelled> {
  const labelled = await findOrLabel(image, options, context);
  const { format, model, key, found = key === undefined ? "bypass" : "miss" } = labelled;
  context.trace?.images.push({ format, model, cache: found });
  return labelled;
}

async function findOrLabel(image: ImageSource, options: LabelOptions, context: LabelContext): Promise<Labelled> {
  const model = await prepareModel(options, context);
  const { answers, onKey } = context;
  const known = async (digest: string) => {
    const key = await keyOf(digest, model, options, context);
    onKey?.(key);
    const { labelled, found } = (await answers?.find(key)) ?? {};
    return { key, answer: labelled && { ...labelled, key, found } };
  };
  let source = image;
  let key: string | undefined;
  let digest: Digest | undefined;
  if (answers !== undefined && image.size !== undefined && image.size <= SMALL) {
    const whole = (await image.pieces.all({ limit: SMALL, size: image.size })) ?? new Uint8Array();
    const early = await known(await sha256(whole));
    if (early.answer !== undefined) return early.answer;
    key = early.key;
    source = imageFrom(whole);
  } else if (answers !== undefined) {
    digest = new Digest();
    source = { pieces: new Pieces(digested(image.pieces, digest)), size: image.size };
  }
  return admitted(context, async (context) => {
    const { pixels, missing, format } = await pixelsOf(source, model, options, context);
    if (digest !== undefined && (await endOf(source.pieces, image.size && image.size - digest.length))) {
      const late = await known(await digest.hex());
      if (late.answer !== undefined) return late.answer;
      key = late.key;
    }
    const labels = await model.run((classifier) => classifier.classify(pixels, options));
    const labelled: Labelled = { labels, missing, model: model.entry.name, format };
    if (key !== undefined) answers?.keep(key, labelled, context.source.keepAlive);
    return { ...labelled, key };
  });
}

/**
 * Decodes an image to a model's input.
 *
 * @returns Pixels [height, width, 3] of the model's input, 0..255, red first.
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, or the model cannot be used.
 */
export async function pixelsOf(
  image: ImageSource,
  { entry, classifier }: Model,
  options: Pick<LabelOptions, "crop" | "exif">,
  context: LabelContext,
): Promise<DecodedImage> {
  // An entry without an input is a model that cannot be used: the classifier says why.
  const { width, height } = entry.input ?? (await classifier()).input;
  const decoding = new Decoding(context);
  try {
    return await decodeToInput(new Pieces(watched(image.pieces, decoding, context)), {
      width,
      height,
      crop: options.crop ?? entry.crop ?? "squash",
      exif: options.exif,
      maxPixels: context.maxPixels,
      fileSize: image.size,
      pause: () => {
        decoding.end();
        return decoding.begin();
      },
    });
  } finally {
    decoding.end();
  }
}
