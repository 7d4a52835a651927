/** The pipeline of an image: decode and resize while it arrives, infer, label; or find the cached result. */
import { ModelReplaced } from "../model/index-files.ts";
import type { Label } from "../model/probabilities.ts";
import type { ByteStream } from "../runtime/byte-stream.ts";
import { Digest, sha256 } from "../runtime/digest.ts";
import { atOnce } from "../runtime/execute.ts";
import { admitted, withBeginning } from "./admission.ts";
import type { LabelContext } from "./context.ts";
import { pixelsOf, scaleFor } from "./decode-input.ts";
import { type Model, prepareModel } from "./prepare-model.ts";
import type { ImageSource, Labelled, LabelOptions } from "./types.ts";

/** The most bytes after a decoded image that are still awaited, so that the digest of the whole file is known. */
const TAIL = 64 << 10;

/** With more regions than this, a request is as much work as one with several images: each region is an inference. */
const FEW_REGIONS = 2;

/** Reads to the end of a file, if no more than TAIL bytes are left. @returns Whether it reached the end. */
async function endOf(stream: ByteStream, left: number | undefined): Promise<boolean> {
  if (left !== undefined && left > TAIL) return false;
  for (let read = 0; read <= TAIL; ) {
    const chunk = await stream.next();
    if (chunk === undefined) return true;
    read += chunk.length;
  }
  return false;
}

/** A digest of so many bytes is computed in one turn: 1 ms, or 0.2 ms where the processor has instructions for SHA-256. */
const DIGEST_STEP = 256 << 10;

/** The digest of an image in memory, computed in turns if it is large. @returns 64 hexadecimal digits. */
async function digestOf(bytes: Uint8Array<ArrayBuffer>, { execute = atOnce }: LabelContext): Promise<string> {
  if (bytes.length <= DIGEST_STEP) return sha256(bytes);
  const digest = new Digest();
  for (let at = 0; at < bytes.length; at += DIGEST_STEP) {
    await (await execute(1, () => ({ added: digest.add(bytes.subarray(at, at + DIGEST_STEP)) }))).added;
  }
  return digest.hex();
}

/** The key of a result in the cache. @param image The SHA-256 of the image, in hexadecimal. */
function keyOf(
  image: string,
  { entry, precision, regions }: Model,
  options: LabelOptions,
  context: LabelContext,
): Promise<string> {
  const { top, min, exif, crop = entry.crop } = options;
  const model = [entry.name, entry.version, entry.sha256, precision];
  const place = regions ?? crop;
  const parts = [context.revision, image, ...model, place, exif, top, min, scaleFor(options, precision)];
  return sha256(new Uint8Array(new TextEncoder().encode(JSON.stringify(parts))));
}

/**
 * Labels one image, or finds its cached result.
 *
 * @throws LabelerError if the image is of an unsupported kind, broken or too large, the model is not available, or the
 *   labeler is busy.
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

/** Infers each region separately. @param pixels The inputs of the regions, or the input of the whole picture. */
async function labelEach(
  pixels: readonly Uint8Array[],
  { regions, run }: Model,
  options: LabelOptions,
): Promise<Pick<Labelled, "labels" | "regions">> {
  const each: Label[][] = [];
  for (const [at, one] of pixels.entries())
    each.push(await run((classifier) => classifier.classify(one, options), regions?.[at]?.name));
  const [labels = [], ...others] = each;
  if (regions === undefined) return { labels };
  const named = regions.map(({ name }, at) => ({ name, labels: each[at] ?? [] }));
  return { labels: others.length === 0 ? labels : [], regions: named };
}

/** How often a model may be replaced while one image is labelled. */
const MOST_REPLACEMENTS = 3;

/** Whether a model takes the same pixels of an image as another one. */
function takesSamePixels(a: Model, b: Model): boolean {
  const taken = ({ entry: { input, crop }, precision, regions }: Model) =>
    JSON.stringify([input?.width, input?.height, crop, precision, regions]);
  return taken(a) === taken(b);
}

/**
 * Like labelEach(), by the model as it is now if it was replaced after the pixels were decoded.
 *
 * @returns The labels, and the model that gave them.
 * @throws ModelReplaced if the new model does not take these pixels.
 */
async function labelByCurrent(
  pixels: readonly Uint8Array[],
  prepared: Model,
  options: LabelOptions,
  context: LabelContext,
): Promise<Pick<Labelled, "labels" | "regions"> & { readonly by: Model }> {
  let by = prepared;
  for (let attempt = 1; ; attempt++) {
    try {
      return { ...(await labelEach(pixels, by, options)), by };
    } catch (error) {
      if (!(error instanceof ModelReplaced) || attempt > MOST_REPLACEMENTS) throw error;
      by = await prepareModel(options, context);
      if (!takesSamePixels(prepared, by)) throw error;
    }
  }
}

async function findOrInfer(
  image: ImageSource,
  model: Model,
  options: LabelOptions,
  context: LabelContext,
): Promise<Labelled> {
  const { resultCache, cacheOrigin, onKey } = context;
  const known = async (image: string) => {
    const key = await keyOf(image, model, options, context);
    onKey?.(key);
    const { labelled, found } = (await resultCache?.find(key, cacheOrigin)) ?? {};
    return { image, key, result: labelled && { ...labelled, key, found } };
  };
  if ((model.regions?.length ?? 1) > FEW_REGIONS) context.onMuchWork?.();
  let source = image;
  let asked: Awaited<ReturnType<typeof known>> | undefined;
  let digest: Digest | undefined;
  if (resultCache !== undefined && image.bytes !== undefined) {
    asked = await known(await digestOf(image.bytes, context));
    if (asked.result !== undefined) return asked.result;
  } else if (resultCache !== undefined) {
    const added = new Digest();
    digest = added;
    source = { ...image, stream: image.stream.tap((chunk) => added.add(chunk)) };
  }
  return admitted(context, source, async (context) => {
    const { regions: pixels, missing, warnings, eighths, format } = await pixelsOf(source, model, options, context);
    if (digest !== undefined && (await endOf(source.stream, image.size && image.size - digest.length))) {
      asked = await known(await digest.hex());
      if (asked.result !== undefined) return asked.result;
    }
    const { by, ...found } = await labelByCurrent(pixels, model, options, context);
    const labelled: Labelled = { ...found, missing, warnings, eighths, model: model.entry.name, format };
    if (asked === undefined) return labelled;
    const key = by === model ? asked.key : await keyOf(asked.image, by, options, context);
    resultCache?.keep(key, labelled, context.source.keepAlive, cacheOrigin);
    return { ...labelled, key };
  });
}
