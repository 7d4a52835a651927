/**
 * The loader of codecs.wasm: one instance as an object, its status codes as errors. What to decode, how and with how
 * much memory is decided in decode.ts; the module itself is explained in native/codecs/README.md.
 */
import module from "../../native/codecs/codecs.wasm";
import { type Exports, Flag, Format, Refusal as REFUSALS, readInfo, Status, Unsupported } from "./layouts.ts";

export type CodecFormat = keyof typeof Format;

export const isCodecFormat = (format: string | undefined): format is CodecFormat =>
  format !== undefined && format in Format;

export type Refusal = keyof typeof REFUSALS;
export type CodecState = keyof typeof Status;
/** Valid kinds of files that are not decoded. */
export type UnsupportedKind = keyof typeof Unsupported;

/** The names of an enum's values. */
const named = <Name extends string>(codes: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> =>
  new Map(Object.entries<number>(codes).map(([name, code]) => [code, name as Name]));

const STATES = named(Status);
const REFUSAL_NAMES = named(REFUSALS);
const UNSUPPORTED_NAMES = named(Unsupported);

/** Of info.missing: all of a picture. */
const WHOLE = 1e6;

/** What the header says, and how far decoding has come. */
export interface CodecInfo {
  /** Of the image in the file, before orientation. */
  readonly width: number;
  readonly height: number;
  /** EXIF's; of a WebP it is known when all bytes are in. */
  readonly orientation: number;
  /** What a JPEG of several scans needs, unless only its DC coefficients are read; else 0. */
  readonly coefficientBytes: number;
  /** Rows that came from the file so far, and how many the crop has. */
  readonly rows: number;
  readonly wantedRows: number;
  /** Channels in the file. */
  readonly components: number;
  /** How much of the picture never came, 0..1; known when decoding is done. */
  readonly missing: number;
  /** Places with damage that a JPEG's decoder went around. */
  readonly warnings: number;
  /** Of an image that is refused as "unsupported". */
  readonly unsupported: UnsupportedKind;
}

export interface CodecLimits {
  /** Bytes of the instance's memory in all. */
  readonly memory: number;
  readonly pixels: number;
  /** Of a JPEG. */
  readonly scans: number;
  /** Of a PNG or WebP; blocks of a GIF. */
  readonly chunks: number;
}

/** A part of the image, in pixels of the scaled image as stored. */
export interface CodecCrop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** How the stored rows lie in the picture: bits of ResizeOrder in layouts.ts. */
  readonly order: number;
  /** What is cut off the outer pixels, in eighths of a pixel; nothing if absent. */
  readonly inset?: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
}

export interface CodecPlan {
  /** The scale of a JPEG, 1..8 eighths; 8 for the other formats. */
  readonly eighths: number;
  /** One at least, and MOST_CROPS at most: each is resized for itself. */
  readonly crops: readonly [CodecCrop, ...CodecCrop[]];
  /** Of each output, as stored. */
  readonly width: number;
  readonly height: number;
}

/** The image is refused by the codec. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly refusal: Refusal;
  readonly info: CodecInfo;

  constructor(refusal: Refusal, info: CodecInfo) {
    super(`codec: ${refusal}`);
    this.refusal = refusal;
    this.info = info;
  }
}

/** What libjpeg's errors come as: thrown by the `fail` import through the frames of wasm. */
class Thrown {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

type CodecExports = Exports & { readonly memory: WebAssembly.Memory };

/** One instance of codecs.wasm: decodes one image at a time, any number one after the other. */
export class Codec {
  readonly #exports: CodecExports;
  #usable = true;

  constructor() {
    const fail = (status: number) => {
      throw new Thrown(status);
    };
    this.#exports = new WebAssembly.Instance(module, { env: { fail } }).exports as unknown as CodecExports;
  }

  /** False after an error that left the instance's stack as it was: throw it away. */
  get usable(): boolean {
    return this.#usable;
  }

  /** What the instance occupies; it never shrinks. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  info(): CodecInfo {
    const { flags, coefficientBytes, missing, unsupported, ...info } = readInfo(
      this.#exports.memory.buffer,
      this.#exports.info(),
    );
    return {
      ...info,
      coefficientBytes: flags & Flag.buffered ? coefficientBytes : 0,
      missing: missing / WHOLE,
      unsupported: UNSUPPORTED_NAMES.get(unsupported) ?? "other",
    };
  }

  #checked(call: () => number): number {
    let status: number;
    try {
      status = call();
    } catch (error) {
      this.#usable = false;
      if (!(error instanceof Thrown)) throw error;
      status = error.status;
    }
    if (status >= 0) return status;
    const refusal = REFUSAL_NAMES.get(status);
    if (refusal === undefined || refusal === "usage") throw new Error(`codecs.wasm answered ${status}`);
    throw new CodecError(refusal, this.info());
  }

  /** Forgets the image before and waits for one of this format. @throws CodecError */
  open(format: CodecFormat, { memory, pixels, scans, chunks }: CodecLimits): void {
    this.#checked(() => this.#exports.init(memory, Math.min(pixels, 0x7fff_ffff), scans, chunks));
    this.#checked(() => this.#exports.open(Format[format]));
  }

  /** Takes the room for a file that is kept whole at once, where its size is known. Only a hint. */
  expect(size: number): void {
    this.#exports.reserve(size);
  }

  /** Hands over the next bytes of the file; a piece of some ten KB keeps the instance small. @throws CodecError */
  feed(piece: Uint8Array): void {
    const address = this.#exports.reserve(piece.length);
    if (address === 0) throw new CodecError("memory", this.info());
    new Uint8Array(this.#exports.memory.buffer).set(piece, address);
    this.#checked(() => this.#exports.commit(piece.length));
  }

  /** No more bytes come. */
  end(): void {
    this.#checked(() => this.#exports.end());
  }

  /**
   * Goes on as far as the input reaches, but by about `rows` rows at most, or by as much other work as these take (the scans
   * of a JPEG that has several); 0 for no bound.
   *
   * @throws CodecError
   */
  run(rows = 0): CodecState {
    const status = this.#checked(() => this.#exports.run(rows));
    const state = STATES.get(status);
    if (state === undefined) throw new Error(`codecs.wasm answered ${status}`);
    return state;
  }

  /** After run() has answered "header". @throws CodecError */
  start({ eighths, crops, width, height }: CodecPlan): void {
    const [first, ...others] = crops;
    for (const crop of others) {
      this.#inset(crop);
      this.#checked(() => this.#exports.also(crop.x, crop.y, crop.width, crop.height, crop.order));
    }
    this.#inset(first);
    const { x, y, order } = first;
    this.#checked(() => this.#exports.start(eighths, x, y, first.width, first.height, width, height, order));
  }

  #inset({ inset }: CodecCrop): void {
    if (inset === undefined) return;
    this.#checked(() => this.#exports.inset(inset.left, inset.right, inset.top, inset.bottom));
  }

  /** The output of a crop, [height, width, 3] RGB, 0..255: a copy. @param crop Its place in the plan's list. */
  output({ width, height }: Pick<CodecPlan, "width" | "height">, crop = 0): Uint8Array<ArrayBuffer> {
    const address = this.#exports.output(crop); // before the buffer is looked at: it may grow
    return new Uint8Array(this.#exports.memory.buffer as ArrayBuffer, address, width * height * 3).slice();
  }
}
