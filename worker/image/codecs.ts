/**
 * Loads codecs.wasm: wraps an instance in an object and turns its status codes into errors. decode.ts decides what is
 * decoded, how, and with how much memory; native/codecs/README.md explains the module itself.
 */
import module from "../../native/codecs/codecs.wasm";
import { type Exports, Flag, Format, Refusal as REFUSALS, readInfo, Status, Unsupported } from "./layouts.ts";

export type CodecFormat = keyof typeof Format;

export const isCodecFormat = (format: string | undefined): format is CodecFormat =>
  format !== undefined && format in Format;

export type Refusal = keyof typeof REFUSALS;
export type CodecState = keyof typeof Status;
/** Kinds of valid files that are not decoded. */
export type UnsupportedKind = keyof typeof Unsupported;

/** The names of an enum by their values. */
const named = <Name extends string>(codes: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> =>
  new Map(Object.entries<number>(codes).map(([name, code]) => [code, name as Name]));

const STATES = named(Status);
const REFUSAL_NAMES = named(REFUSALS);
const UNSUPPORTED_NAMES = named(Unsupported);

/** The value of info.missing that stands for the whole picture. */
const WHOLE = 1e6;

/** The contents of the header, and the progress of decoding. */
export interface CodecInfo {
  /** The size of the image in the file, before orientation. */
  readonly width: number;
  readonly height: number;
  /** The EXIF orientation; of a WebP it is known once all bytes have arrived. */
  readonly orientation: number;
  /** The memory that a JPEG of several scans needs, unless only its DC coefficients are read; else 0. */
  readonly coefficientBytes: number;
  /** The number of rows decoded so far, and the number of rows of the crop. */
  readonly rows: number;
  readonly wantedRows: number;
  /** Channels in the file. */
  readonly components: number;
  /** How much of the picture is missing, 0..1; known when decoding is done. */
  readonly missing: number;
  /** The number of damaged places that a JPEG's decoder skipped. */
  readonly warnings: number;
  /** Why an image is refused as "unsupported". */
  readonly unsupported: UnsupportedKind;
}

export interface CodecLimits {
  /** The memory limit of the whole instance, in bytes. */
  readonly memory: number;
  readonly pixels: number;
  /** The most scans of a JPEG. */
  readonly scans: number;
  /** The most chunks of a PNG or WebP, or blocks of a GIF. */
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
  /** How much is cut off the outer pixels, in eighths of a pixel; nothing if absent. */
  readonly inset?: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
}

export interface CodecPlan {
  /** The scale of a JPEG, 1..8 eighths; 8 for the other formats. */
  readonly eighths: number;
  /** 1 to MOST_CROPS crops, each of which is resized separately. */
  readonly crops: readonly [CodecCrop, ...CodecCrop[]];
  /** The size of each output, as stored. */
  readonly width: number;
  readonly height: number;
}

/** Thrown when the codec refuses an image. */
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

/** Carries an error of libjpeg: the `fail` import throws it through the frames of wasm. */
class Thrown {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

type CodecExports = Exports & { readonly memory: WebAssembly.Memory };

/** An instance of codecs.wasm, which decodes any number of images one after the other. */
export class Codec {
  readonly #exports: CodecExports;
  #usable = true;

  constructor() {
    const fail = (status: number) => {
      throw new Thrown(status);
    };
    this.#exports = new WebAssembly.Instance(module, { env: { fail } }).exports as unknown as CodecExports;
  }

  /** False after an error that did not restore the instance's stack: discard the instance then. */
  get usable(): boolean {
    return this.#usable;
  }

  /** The size of the instance's memory; it never shrinks. */
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

  /** Discards the previous image and expects one of this format. @throws CodecError */
  open(format: CodecFormat, { memory, pixels, scans, chunks }: CodecLimits): void {
    this.#checked(() => this.#exports.init(memory, Math.min(pixels, 0x7fff_ffff), scans, chunks));
    this.#checked(() => this.#exports.open(Format[format]));
  }

  /** Reserves memory for a file that is kept whole, if its size is known. Only a hint. */
  expect(size: number): void {
    this.#exports.reserve(size);
  }

  /** Passes the next bytes of the file; chunks of some ten KB keep the instance small. @throws CodecError */
  feed(chunk: Uint8Array): void {
    const address = this.#exports.reserve(chunk.length);
    if (address === 0) throw new CodecError("memory", this.info());
    new Uint8Array(this.#exports.memory.buffer).set(chunk, address);
    this.#checked(() => this.#exports.commit(chunk.length));
  }

  /** Ends the input. */
  end(): void {
    this.#checked(() => this.#exports.end());
  }

  /**
   * Decodes as far as the input reaches, but at most about `rows` rows, or as much other work as these take (the scans
   * of a JPEG that has several); 0 for no limit.
   *
   * @throws CodecError
   */
  run(rows = 0): CodecState {
    const status = this.#checked(() => this.#exports.run(rows));
    const state = STATES.get(status);
    if (state === undefined) throw new Error(`codecs.wasm answered ${status}`);
    return state;
  }

  /** Starts decoding after run() has returned "header". @throws CodecError */
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

  /** A copy of the output of a crop, [height, width, 3] RGB, 0..255. @param crop Its index in the plan's list. */
  output({ width, height }: Pick<CodecPlan, "width" | "height">, crop = 0): Uint8Array<ArrayBuffer> {
    const address = this.#exports.output(crop); // first, since the call may grow the memory
    return new Uint8Array(this.#exports.memory.buffer as ArrayBuffer, address, width * height * 3).slice();
  }
}
