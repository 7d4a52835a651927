/** From the bytes of an image file to the pixels of a model's input: the one entry to this folder. */
import { LabelerError } from "../errors.ts";
import { type Codec, CodecError, type CodecInfo, type CodecPlan, type CodecState, isCodecFormat } from "./codecs.ts";
import { type Box, centerBox, chooseScale, heightFirst, type Size, scaledSize, wholeBox } from "./geometry.ts";
import { type Kind, MEMORY, withCodec } from "./instances.ts";
import { layoutOf, type Orientation, storedBox, toOrientation, turnPixels, turnSize } from "./orientation.ts";
import type { Pieces } from "./pieces.ts";
import { MAX_CHUNKS, MAX_SCANS, refusalOf, unsupported } from "./refusals.ts";
import { type ImageFormat, SNIFF_BYTES, sniff } from "./sniff.ts";

export interface DecodeOptions extends Size {
  /** `squash` resizes all of the picture whatever its shape, `center` only the square of centerBox. */
  readonly crop: "squash" | "center" | Box;
  /** Whether the picture is turned as EXIF says, or taken as stored, as eKuiper's tutorial plugin does. */
  readonly exif: "apply" | "ignore" | Orientation;
  /** Images of more pixels are refused before they are decoded: the setting MAX_PIXELS. */
  readonly maxPixels: number;
  /** JPEGs at the smallest scale that does no harm, or all at their full size. */
  readonly scale?: "fast" | "full";
  /** How many bytes the file has, where that is known before they have come. */
  readonly fileSize?: number | undefined;
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

/** Bytes per call: the instance keeps what it has not yet taken. */
const PIECE = 64 << 10;

/** A header is this long at most, if the image is to be begun again in a large instance. */
const MAX_REPLAY = 4 << 20;

/** WebP files are kept whole, beside some 2 MB for the decoder: those below fit into a small instance. */
const SMALL_WEBP = 512 << 10;

/** What a buffered JPEG needs beside its coefficients. */
const JPEG_OVERHEAD = 3 << 20;

/** ResizeOrder in native/codecs/src/resize.h. */
const MIRROR_COLUMNS = 1;
const MIRROR_ROWS = 2;
const ROWS_FIRST = 4;

interface Plan extends CodecPlan {
  /** As seen. */
  readonly source: Size;
  readonly orientation: Orientation;
  /** What it will need at least, in bytes; 0 where that is little. */
  readonly memory: number;
}

function planFor(info: CodecInfo, format: ImageFormat, options: DecodeOptions): Plan {
  const { exif, crop, scale } = options;
  const orientation = exif === "apply" ? toOrientation(info.orientation) : exif === "ignore" ? 1 : exif;
  const layout = layoutOf(orientation);
  const { transposed, columnsReversed, rowsReversed } = layout;
  const source = turnSize(info, layout);
  const boxOf = (size: Size): Box => (crop === "squash" ? wholeBox(size) : crop === "center" ? centerBox(size) : crop);
  let eighths = format === "jpeg" && scale !== "full" ? chooseScale(boxOf(source), options) : 8;
  let memory = info.coefficientBytes === 0 ? 0 : info.coefficientBytes + JPEG_OVERHEAD;
  if (memory > MEMORY.large) {
    // At an eighth only the DC coefficients of a progressive file are needed, and these are few.
    eighths = 1;
    memory = 0;
  }
  const stored = scaledSize(info, eighths);
  const seen = turnSize(stored, layout);
  const box = boxOf(seen);
  const rowsFirst = transposed !== heightFirst(box, options);
  return {
    source,
    orientation,
    memory,
    eighths,
    crop: storedBox(box, stored, layout),
    ...turnSize(options, layout),
    order: (columnsReversed ? MIRROR_COLUMNS : 0) + (rowsReversed ? MIRROR_ROWS : 0) + (rowsFirst ? ROWS_FIRST : 0),
  };
}

/** Takes a file's pieces, cut to size, and keeps them as long as they may be wanted again. */
class Feed {
  readonly #pieces: Pieces;
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  #again: Uint8Array[] = [];
  #rest: Uint8Array = new Uint8Array();

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /** The next piece, at most PIECE bytes; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const again = this.#again.shift();
    if (again !== undefined) return again;
    while (this.#rest.length === 0) {
      const piece = await this.#pieces.next();
      if (piece === undefined) return undefined;
      this.#rest = piece;
    }
    const piece = this.#rest.subarray(0, PIECE);
    this.#rest = this.#rest.subarray(PIECE);
    this.#kept?.push(piece);
    this.#keptBytes += piece.length;
    if (this.#keptBytes > MAX_REPLAY) this.#kept = undefined;
    return piece;
  }

  /** What was given so far is not wanted again. */
  forget(): void {
    this.#kept = undefined;
  }

  /** Begins again with the first piece, if all are still there. @returns Whether they are. */
  rewind(): boolean {
    if (this.#kept === undefined) return false;
    this.#again = [...this.#kept];
    return true;
  }
}

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
  try {
    codec.open(format, limits);
    if (format === "webp" && options.fileSize !== undefined) codec.expect(options.fileSize);
    for (;;) {
      const state: CodecState = codec.run();
      if (state === "header") {
        plan = planFor(codec.info(), format, options);
        if (kind === "small" && plan.memory > MEMORY.small) return TOO_SMALL;
        codec.start(plan);
      } else if (state === "need input") {
        // Memory gives out before the first row or not at all.
        if (plan !== undefined && codec.info().rows > 0) feed.forget();
        const piece = await feed.next();
        alive();
        if (piece === undefined) codec.end();
        else codec.feed(piece);
      } else if (state !== "more" && plan !== undefined) {
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
