/** Decodes the bytes of an image file to the pixels of a model's input: the only entry point of this folder. */
import { LabelerError } from "../errors.ts";
import type { ByteStream } from "../runtime/byte-stream.ts";
import { atOnce, type Execute } from "../runtime/execute.ts";
import type { AcquireOptions } from "../runtime/semaphore.ts";
import { type Codec, CodecError, type CodecState, isCodecFormat } from "./codecs.ts";
import { Feed } from "./feed.ts";
import { type Kind, MEMORY, withCodec } from "./instances.ts";
import { layoutOf, turnPixels } from "./orientation.ts";
import { type Plan, type PlanOptions, planFor } from "./plan.ts";
import { MAX_CHUNKS, MAX_SCANS, refusalOf, unsupported } from "./refusals.ts";
import { type ImageFormat, imageStart, SNIFF_BYTES, sniff } from "./sniff.ts";

export interface DecodeOptions extends PlanOptions {
  /** Images of more pixels are refused before they are decoded: the setting MAX_PIXELS. */
  readonly maxPixels: number;
  /** The size of the file in bytes, if it is known before the file has arrived. */
  readonly fileSize?: number | undefined;
  /** Schedules each stretch of decoding; runs it at once if absent. */
  readonly execute?: Execute | undefined;
  /**
   * The request of the image: its instance is released if the client disconnects, or its bytes arrive too slowly for
   * others.
   */
  readonly request?: AcquireOptions | undefined;
}

export interface DecodedImage {
  readonly format: ImageFormat;
  /** The size of the picture as it is seen, that is after `exif`. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** [height, width, 3] RGB, 0..255; at full scale identical to Pillow's convert("RGB"), crop and resize (bicubic). */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** Like `pixels`, for each region in its order; only the crop if there are no regions. */
  readonly regions: readonly Uint8Array<ArrayBuffer>[];
  /** How much of the picture is missing because its data end early, 0..1. */
  readonly missing: number;
  /** The number of damaged places that the decoder skipped; the picture may be wrong after them. */
  readonly warnings: number;
  /** The scale at which the image was decoded, in eighths. */
  readonly eighths: number;
}

/** A file that is kept whole fits into a small instance, beside about 2 MB for the decoder, if it has fewer bytes. */
const SMALL_WHOLE = 512 << 10;

/** How much of a file is kept, in bytes, judging by its beginning: all of a WebP, a TIFF up to its directory. */
function keptBytes(beginning: Uint8Array, format: ImageFormat, fileSize = Number.POSITIVE_INFINITY): number {
  if (format === "webp") return fileSize;
  if (format !== "tiff" || beginning.length < 8) return 0;
  return new DataView(beginning.buffer, beginning.byteOffset).getUint32(4, beginning[0] === 0x49);
}

/** Pixels of the file that are decoded in one stretch, 3 to 15 ms, and the units that it counts, in milliseconds. */
const STRETCH = 256 << 10;
const STRETCH_UNITS = 6;

/**
 * Bytes of a file that are decoded in about a millisecond: 16 KB of a small JPEG, 80 KB of a large one at a smaller
 * scale.
 */
const BYTES_PER_UNIT = 24 << 10;

/** The pixels of each crop, in the orientation in which they are seen. */
function outputsOf(codec: Codec, plan: Plan): [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]] {
  const output = (crop: number) => turnPixels(codec.output(plan, crop), plan, layoutOf(plan.orientation));
  const [, ...others] = plan.crops;
  return [output(0), ...others.map((_, at) => output(at + 1))];
}

/** Signals that the image needs an instance of the large kind. */
const TOO_SMALL = Symbol("too small");

/** Decodes with an instance in the request's turns, as long as the instance is lent to it. */
class Decoder {
  readonly #codec: Codec;
  readonly #holds: () => boolean;
  readonly #execute: Execute;
  /** The rows of the file in one stretch; 0 for as far as the input reaches. */
  rows = 0;

  constructor(codec: Codec, holds: () => boolean, execute: Execute) {
    this.#codec = codec;
    this.#holds = holds;
    this.#execute = execute;
  }

  /** Continues decoding. @throws CodecError */
  goOn(): Promise<CodecState> {
    return this.#run(STRETCH_UNITS, () => undefined);
  }

  /** Continues with the next bytes of the file, or ends the input if there are none. @throws CodecError */
  take(chunk: Uint8Array | undefined): Promise<CodecState> {
    if (chunk === undefined) return this.#run(STRETCH_UNITS, () => this.#codec.end());
    return this.#run(Math.max(1, chunk.length / BYTES_PER_UNIT), () => this.#codec.feed(chunk));
  }

  #run(units: number, prepare: () => void): Promise<CodecState> {
    return this.#execute(units, () => {
      if (!this.#holds()) throw new LabelerError("busy", "The image has lost its decoder to another one. Try again.");
      prepare();
      return this.#codec.run(this.rows);
    });
  }
}

async function decodeIn(
  codec: Codec,
  kind: Kind,
  holds: () => boolean,
  feed: Feed,
  format: ImageFormat,
  options: DecodeOptions,
): Promise<DecodedImage | typeof TOO_SMALL> {
  if (!isCodecFormat(format)) throw new Error(`codecs.wasm has no ${format}`);
  const limits = { memory: MEMORY[kind], pixels: options.maxPixels, scans: MAX_SCANS, chunks: MAX_CHUNKS };
  let plan: Plan | undefined;
  const decoder = new Decoder(codec, holds, options.execute ?? atOnce);
  try {
    codec.open(format, limits);
    if (format === "webp" && options.fileSize !== undefined) codec.expect(options.fileSize);
    let state: CodecState = codec.run();
    for (;;) {
      if (state === "header") {
        plan = planFor(codec.info(), format, options);
        if (kind === "small" && plan.memory > MEMORY.small) return TOO_SMALL;
        codec.start(plan);
        decoder.rows = Math.ceil((STRETCH * plan.eighths) / (8 * codec.info().width));
        state = await decoder.goOn();
      } else if (state === "needInput") {
        // A lack of memory shows before the first row or not at all, so the file need not be replayed any more.
        if (plan !== undefined && codec.info().rows > 0) feed.forget();
        state = await decoder.take(await feed.next());
      } else if (state === "more") {
        state = await decoder.goOn();
      } else if (plan === undefined) {
        throw new Error(`codecs.wasm is ${state} before the header of a ${format}`);
      } else {
        const { missing, warnings } = codec.info();
        const { eighths, source } = plan;
        const regions = outputsOf(codec, plan);
        const [pixels] = regions;
        const { width: sourceWidth, height: sourceHeight } = source;
        return { format, sourceWidth, sourceHeight, pixels, regions, missing, warnings, eighths };
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
 * Decodes an image and resizes it to `width` × `height`, while its bytes arrive. If a file ends early, the decoded part
 * is returned.
 *
 * @throws LabelerError "unsupported-image", "broken-image", "image-too-large", "busy" or "too-slow", each with cause
 *   and fix. Anything else that is thrown is a bug, or comes from the byte stream.
 * @example
 * const { pixels } = await decodeToInput(new ByteStream([bytes]), { width: 224, height: 224, crop: "squash", exif: "apply", maxPixels: 1e8 });
 */
export async function decodeToInput(stream: ByteStream, options: DecodeOptions): Promise<DecodedImage> {
  const beginning = await stream.peek(SNIFF_BYTES);
  const start = imageStart(beginning);
  const format = sniff(beginning.subarray(start));
  if (!isCodecFormat(format)) throw unsupported(beginning, format);
  const feed = new Feed(stream, start);
  const decode = (kind: Kind) =>
    withCodec(kind, (codec, holds) => decodeIn(codec, kind, holds, feed, format, options), options.request);
  const small = keptBytes(beginning.subarray(start), format, options.fileSize) <= SMALL_WHOLE;
  let decoded = small ? await decode("small") : TOO_SMALL;
  if (decoded === TOO_SMALL) {
    if (!feed.rewind()) throw new LabelerError("image-too-large", "The header of this image is too long.");
    decoded = await decode("large");
  }
  if (decoded === TOO_SMALL) throw new Error("there is no larger instance");
  return decoded;
}
