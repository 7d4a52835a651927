/**
 * The pipeline of an image: decode and resize while it comes in, infer, label. Knows nothing of HTTP.
 */
import type { Answers } from "./answers.ts";
import { Digest, sha256 } from "./digest.ts";
import { type DecodedImage, decodeToInput } from "./image/decode.ts";
import { Pieces } from "./image/pieces.ts";
import { type ImageFormat, isImage, SNIFF_BYTES } from "./image/sniff.ts";
import type { Catalogue, ModelSource } from "./model/catalogue.ts";
import type { Classifier } from "./model/classifier.ts";
import { type IndexEntry, precisionFor } from "./model/index-entry.ts";
import type { Precision } from "./model/precision-name.ts";
import type { Crop } from "./model/spec.ts";
import type { Label } from "./model/top-k.ts";
import { atOnce, type Execute, type ExecuteInParts, partsAtOnce } from "./runtime/execute.ts";
import { MemoryUse } from "./runtime/memory-use.ts";
import type { Parts } from "./runtime/parts.ts";
import type { Reception } from "./runtime/reception.ts";
import type { AcquireOptions, Semaphore } from "./runtime/semaphore.ts";
import type { Found, Trace } from "./trace.ts";

/** The bytes of an image file, which may still be coming. */
export interface ImageSource {
  readonly pieces: Pieces;
  /** How many bytes they will be, if that is known. */
  readonly size: number | undefined;
  /** All of them, if they are in memory. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** How they come in, if they still do. */
  readonly reception?: Reception;
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
  readonly slots?: Semaphore | undefined;
  /** The budget, in bytes, of images that are taken into memory before there is a slot for them; unbounded if absent. */
  readonly buffers?: Semaphore | undefined;
  /** Runs what blocks the thread when it is this request's turn; at once if absent. */
  readonly execute?: Execute | undefined;
  /** As `execute`, for an inference. */
  readonly executeInParts?: ExecuteInParts | undefined;
  /** Told that the request carries many images or a large one: others come before it. */
  readonly onMuchWork?: (() => void) | undefined;
  /** Whose request it is, for a fair share of the slots. */
  readonly client?: string | undefined;
  /** Where answers are kept; nowhere if absent. */
  readonly answers?: Answers | undefined;
  /** What else than image, model and parameters an answer depends on: the version of the code. */
  readonly revision?: string | undefined;
  /** Gets an answer's key before it is found or made. What it throws, labelOne() throws. */
  readonly onKey?: ((key: string) => void) | undefined;
  /** Where it is noted down what happens. */
  readonly trace?: Trace | undefined;
  /** Aborted when the client has gone: what the request holds is released then. */
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
export const imageFrom = (bytes: Uint8Array<ArrayBuffer>): ImageSource => ({
  pieces: new Pieces(bytes.length > STEP ? steps(bytes) : [bytes]),
  size: bytes.length,
  bytes,
});

/** A file that is no larger is read whole before there is a slot for it: if its labels are known it needs none. In bytes. */
const SMALL = 256 << 10;

/** How much later a request is treated as if it had come, in milliseconds: 200 for each MB of its images, 1000 at most. */
const delayFor = (size: number | undefined): number => Math.min(1000, ((size ?? 1 << 20) * 200) / (1 << 20));

/** Whether an image is small and all there: little work. */
const isSmall = (image: ImageSource | undefined): boolean => image?.bytes !== undefined && image.bytes.length <= SMALL;

/** How a request asks for a part of what is limited. */
const requestFor = ({ signal, client }: LabelContext, image?: ImageSource): AcquireOptions => ({
  signal,
  client,
  reception: image?.reception,
});

/**
 * Does something once there is a slot for it. What it calls with the context that it gets needs no other one.
 *
 * @param image What is worked on; or how many bytes, where that is more than one image.
 */
export async function admitted<T>(
  context: LabelContext,
  image: ImageSource | number,
  work: (context: LabelContext) => Promise<T>,
): Promise<T> {
  const { slots } = context;
  if (slots === undefined) return work(context);
  const since = performance.now();
  const [source, size] = typeof image === "number" ? [undefined, image] : [image, image.size];
  const express = isSmall(source);
  if (!express) context.onMuchWork?.();
  const lease = await slots
    .acquire({ ...requestFor(context, source), delay: delayFor(size), express })
    .finally(() => context.trace?.took("wait", since));
  try {
    return await work({ ...context, slots: undefined, buffers: undefined });
  } finally {
    lease.release();
  }
}

/** The pieces of an image, noting how long they were waited for and how many bytes they are. */
async function* received(pieces: Pieces, { trace }: LabelContext): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const asked = performance.now();
    const piece = await pieces.next();
    trace?.took("receive", asked);
    if (piece === undefined) return;
    if (trace !== undefined) trace.bytes += piece.length;
    yield piece;
  }
}

/** Decodes some of an image in its turn and notes how long it took. */
function executeDecoding<T>(units: number, work: () => T, { execute = atOnce, trace }: LabelContext): Promise<T> {
  return execute(units, () => {
    const start = performance.now();
    try {
      return work();
    } finally {
      trace?.took("decode", start);
    }
  });
}

/**
 * The parts of an inference, which stops if the model is disposed of between two of them. Notes how long they take.
 *
 * @returns The result in a list; an empty one if there is none because the model was disposed of.
 */
function* inferring<T>(classifier: Classifier, parts: Parts<T>, trace: Trace | undefined): Parts<readonly T[]> {
  while (!classifier.disposed) {
    const start = performance.now();
    const { done, value } = parts.next();
    trace?.took("infer", start);
    if (done) return [value];
    yield;
  }
  return [];
}

/** An inference takes more than what else is done in one turn, whatever the model. In milliseconds. */
const INFERENCE = 21;

export interface Model {
  readonly entry: IndexEntry;
  readonly precision: Precision;
  /** Runs the network when it is this request's turn. `infer` may be called again, with a model that was loaded anew. */
  run<T>(infer: (classifier: Classifier) => Parts<T>): Promise<T>;
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
  const { executeInParts = partsAtOnce, trace } = context;
  const run = async <T>(infer: (classifier: Classifier) => Parts<T>): Promise<T> => {
    for (;;) {
      const loaded = await classifier();
      // It may be disposed of while this waits for its turn.
      const result = await executeInParts(INFERENCE, () => inferring(loaded, infer(loaded), trace));
      if (result.length > 0) return result[0];
    }
  };
  return { entry, precision, classifier, run };
}

/** Of a larger one so much has to be there before it gets a slot, in bytes: a slot is for what can be decoded. */
const BEGINNING = 64 << 10;

/** Reads the beginning of an image that still comes. @returns All of it, if it is small. */
async function readBeginning(
  image: ImageSource,
  memory: MemoryUse | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { bytes, pieces, size = 0 } = image;
  if (bytes !== undefined) return undefined;
  const reserve = memory && ((more: number) => memory.reserve(more));
  // What is no image is refused without waiting for more of it.
  if (!isImage(await pieces.peek(SNIFF_BYTES, reserve))) return undefined;
  if (size > SMALL) {
    await pieces.peek(BEGINNING, reserve);
    return undefined;
  }
  const begun = await pieces.peek(SMALL + 1, reserve);
  return begun.length > SMALL ? undefined : ((await pieces.all({ limit: SMALL })) ?? new Uint8Array());
}

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
  return withBeginning(image, context, (image) => findOrInfer(image, model, options, context));
}

/**
 * Reads a small image whole, and of a large one the beginning, before anything is held for it but a little memory.
 *
 * @param work Gets the image; a small one's bytes are in memory.
 * @throws LabelerError of kind busy if there is no memory for it; what the image's pieces throw, and what `work` throws.
 */
export async function withBeginning<T>(
  image: ImageSource,
  context: LabelContext,
  work: (image: ImageSource) => Promise<T>,
): Promise<T> {
  const memory = context.buffers && new MemoryUse(context.buffers, requestFor(context, image));
  try {
    const small = await readBeginning(image, memory);
    return await work(small === undefined ? image : imageFrom(small));
  } finally {
    memory?.release();
  }
}

async function findOrInfer(
  image: ImageSource,
  model: Model,
  options: LabelOptions,
  context: LabelContext,
): Promise<Labelled> {
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
  if (answers !== undefined && image.bytes !== undefined && isSmall(image)) {
    const early = await known(await sha256(image.bytes));
    if (early.answer !== undefined) return early.answer;
    key = early.key;
  } else if (answers !== undefined) {
    digest = new Digest();
    source = { ...image, pieces: new Pieces(digested(image.pieces, digest)) };
  }
  return admitted(context, source, async (context) => {
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
  return decodeToInput(new Pieces(received(image.pieces, context)), {
    width,
    height,
    crop: options.crop ?? entry.crop ?? "squash",
    exif: options.exif,
    maxPixels: context.maxPixels,
    fileSize: image.size,
    execute: (units, work) => executeDecoding(units, work, context),
    request: requestFor(context, image),
  });
}
