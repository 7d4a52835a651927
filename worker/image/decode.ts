/** From the bytes of an image file to the pixels of a model's input: the one entry to this folder. */
import { LabelerError } from "../errors.ts";
import { type Codec, CodecError, type CodecState, isCodecFormat } from "./codecs.ts";
import { Feed } from "./feed.ts";
import { type Kind, MEMORY, withCodec } from "./instances.ts";
import { layoutOf, turnPixels } from "./orientation.ts";
import type { Pieces } from "./pieces.ts";
import { type Plan, type PlanOptions, planFor } from "./plan.ts";
import { MAX_CHUNKS, MAX_SCANS, refusalOf, unsupported } from "./refusals.ts";
import { type ImageFormat, SNIFF_BYTES, sniff } from "./sniff.ts";

export interface DecodeOptions extends PlanOptions {
  /** Images of more pixels are refused before they are decoded: the setting MAX_PIXELS. */
  readonly maxPixels: number;
  /** How many bytes the file has, where that is known before they have come. */
  readonly fileSize?: number | undefined;
  /** Awaited between stretches of work for which no bytes are waited for: some pictures are decoded when all have come. */
  readonly pause?: (() => Promise<void>) | undefined;
}

export interface DecodedImage {
  readonly format: ImageFormat;
  /** Of the picture as it is seen, that is after `exif`. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** [height, width, 3] RGB, 0..255; at full scale the bytes of Pillow's convert("RGB"), crop and resize (bicubic). */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** How much of the picture is missing because the file ends early, 0..1. */
  readonly missing: number;
  /** The scale at which it was decoded. */
  readonly eighths: number;
}

/** WebP files are kept whole, beside some 2 MB for the decoder: those below fit into a small instance. */
const SMALL_WEBP = 512 << 10;

/** Pixels of the file that are decoded in one stretch: 3 to 15 ms. */
const STRETCH = 256 << 10;

/** The image needs an instance of the other kind. */
const TOO_SMALL = Symbol("too small");

async function decodeIn(
  codec: Codec,
  kind: Kind,
  alive: () => void,
  feed: Feed,
  format: ImageFormat,
  options: DecodeOptions,
): Promise<DecodedImage | typeof TOO_SMALL> {
  if (!isCodecFormat(format)) throw new Error(`codecs.wasm has no ${format}`);
  const limits = { memory: MEMORY[kind], pixels: options.maxPixels, scans: MAX_SCANS, chunks: MAX_CHUNKS };
  let plan: Plan | undefined;
  /** Of a stretch. */
  let rows = 0;
  try {
    codec.open(format, limits);
    if (format === "webp" && options.fileSize !== undefined) codec.expect(options.fileSize);
    for (;;) {
      const state: CodecState = codec.run(rows);
      if (state === "header") {
        plan = planFor(codec.info(), format, options);
        if (kind === "small" && plan.memory > MEMORY.small) return TOO_SMALL;
        codec.start(plan);
        rows = Math.ceil((STRETCH * plan.eighths) / (8 * codec.info().width));
      } else if (state === "need input") {
        // Memory gives out before the first row or not at all.
        if (plan !== undefined && codec.info().rows > 0) feed.forget();
        const piece = await feed.next();
        alive();
        if (piece === undefined) codec.end();
        else codec.feed(piece);
      } else if (state === "more") {
        await options.pause?.();
        alive();
      } else {
        if (plan === undefined) throw new Error(`codecs.wasm answered ${state} before its image was planned`);
        const { rows, wantedRows } = codec.info();
        const pixels = turnPixels(codec.output(plan), plan, layoutOf(plan.orientation));
        const { width, height } = plan.source;
        const missing = state === "truncated" ? 1 - rows / wantedRows : 0;
        return { format, sourceWidth: width, sourceHeight: height, pixels, missing, eighths: plan.eighths };
      }
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const memory = error.refusal === "memory" || error.refusal === "coefficients";
    if (memory && kind === "small" && feed.rewind()) return TOO_SMALL;
    throw refusalOf(error, format, options.maxPixels);
  }
}

/**
 * Decodes an image and resizes it to `width` × `height`, while its bytes come in. A file that ends early gives what is
 * there.
 *
 * @throws LabelerError "unsupported-image", "broken-image", "image-too-large", "busy" or "too-slow", each with cause and
 * mend. Whatever else is thrown is a bug, or the pieces' own.
 * @example
 * const { pixels } = await decodeToInput(new Pieces([bytes]), { width: 224, height: 224, crop: "squash", exif: "apply", maxPixels: 1e8 });
 */
export async function decodeToInput(pieces: Pieces, options: DecodeOptions): Promise<DecodedImage> {
  const beginning = await pieces.peek(SNIFF_BYTES);
  const format = sniff(beginning);
  if (!isCodecFormat(format)) throw unsupported(beginning, format);
  const feed = new Feed(pieces);
  const decode = (kind: Kind) => withCodec(kind, (codec, alive) => decodeIn(codec, kind, alive, feed, format, options));
  const small = format !== "webp" || (options.fileSize ?? Number.POSITIVE_INFINITY) <= SMALL_WEBP;
  let decoded = small ? await decode("small") : TOO_SMALL;
  if (decoded === TOO_SMALL) {
    if (!feed.rewind()) throw new LabelerError("image-too-large", "The header of this image is too long.");
    decoded = await decode("large");
  }
  if (decoded === TOO_SMALL) throw new Error("there is no larger instance");
  return decoded;
}
