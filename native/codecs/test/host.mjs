// A host for codecs.wasm in plain JavaScript: what a loader has to do, and what the tests use.
import { readFileSync } from "node:fs";

const layouts = JSON.parse(readFileSync(new URL("../../layouts/codecs.json", import.meta.url), "utf8"));
const valuesOf = (name) =>
  Object.fromEntries(Object.entries(layouts.enums[name].values).map(([key, [value]]) => [key, value]));

export const Status = { ...valuesOf("Status"), ...valuesOf("Refusal") };
export const Format = Object.fromEntries(
  Object.entries(valuesOf("Format")).map(([name, value]) => [name.toLowerCase(), value]),
);
export const Flag = valuesOf("Flag");
export const INFO_FIELDS = layouts.structs.Info.fields.map(([declaration]) => declaration.replace("int32_t ", ""));

const CHUNK_BYTES = 64 * 1024;
const statusName = (code) => Object.keys(Status).find((name) => Status[name] === code) ?? String(code);

/** The image is refused; `status` is one of the negative Status values. */
export class CodecError extends Error {
  constructor(status, info) {
    super(`${statusName(status)} (detail ${info?.detail ?? "?"})`);
    this.status = status;
    this.info = info;
  }
}

/** Thrown by the `fail` import through the wasm frames. Not an Error: nobody reads its stack trace. */
class Thrown {
  constructor(status) {
    this.status = status;
  }
}

export const module = new WebAssembly.Module(
  readFileSync(process.env.CODECS_WASM ?? new URL("../codecs.wasm", import.meta.url)),
);

export function instantiate() {
  const fail = (status) => {
    throw new Thrown(status);
  };
  return new WebAssembly.Instance(module, { env: { fail } }).exports;
}

/** @returns the image format by magic bytes, or undefined */
export function sniff(bytes) {
  const at = (offset, text) => [...text].every((c, i) => bytes[offset + i] === c.charCodeAt(0));
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return "jpeg";
  if (at(0, "\x89PNG")) return "png";
  if (at(0, "RIFF") && at(8, "WEBP")) return "webp";
  if (at(0, "GIF8")) return "gif";
  if (at(0, "BM")) return "bmp";
  if (at(0, "II*\0") || at(0, "MM\0*") || at(0, "II+\0")) return "tiff";
  if (at(0, "P5") || at(0, "P6")) return "pnm";
  return undefined;
}

/** The smallest scale in eighths (1, 2, 4, 8) that leaves the short side at least twice the target. */
export function serviceScale(info, size) {
  if (info.format !== Format.jpeg) return 8;
  const short = Math.min(info.width, info.height);
  return [1, 2, 4].find((eighths) => Math.ceil((short * eighths) / 8) >= 2 * size) ?? 8;
}

/**
 * Decodes and resizes an image.
 * @param options.scale    (info) => eighths, for JPEG
 * @param options.slice    rows per call of `run`, 0 for all
 * @param options.chunkBytes    bytes per chunk of input
 * @param options.crop     [x, y, width, height] of the scaled image
 * @param options.further  crops of the same image beside it, [x, y, width, height, order]
 * @param options.codecs   an instance to use; one that threw must not be used again
 * @returns {status, data: Uint8Array [height, width, 3], others: the same of the further crops, info, calls}
 */
export function decode(bytes, options = {}) {
  const {
    width = 224,
    height = 224,
    scale = () => 8,
    slice = 0,
    chunkBytes = CHUNK_BYTES,
    crop = [0, 0, 0, 0],
    further = [],
  } = options;
  const { memory = 96 << 20, pixels = 50e6, scans = 100, chunks = 100_000 } = options;
  const codecs = options.codecs ?? instantiate();
  const format = options.format ?? sniff(bytes);
  const info = () => {
    const fields = new Int32Array(codecs.memory.buffer, codecs.info(), INFO_FIELDS.length);
    return Object.fromEntries(INFO_FIELDS.map((name, i) => [name, fields[i]]));
  };
  const check = (status) => {
    if (status < 0) throw new CodecError(status, info());
    return status;
  };
  try {
    check(codecs.init(memory, pixels, scans, chunks));
    check(codecs.open(Format[format]));
    // WebP is kept whole, so the room is taken at once. Only a hint: without it the buffer grows by doubling.
    if (format === "webp") codecs.reserve(bytes.length);
    let offset = 0;
    let calls = 0;
    for (;;) {
      const status = check(codecs.run(slice));
      calls++;
      if (status === Status.HEADER) {
        for (const other of further) check(codecs.also(...other));
        check(codecs.start(scale(info()), ...crop, width, height, options.order ?? 0));
      } else if (status === Status.NEED_INPUT && offset < bytes.length) {
        const part = bytes.subarray(offset, offset + chunkBytes);
        const address = codecs.reserve(part.length);
        if (!address) throw new CodecError(Status.MEMORY, info());
        new Uint8Array(codecs.memory.buffer).set(part, address);
        check(codecs.commit(part.length));
        offset += part.length;
      } else if (status === Status.NEED_INPUT) {
        check(codecs.end());
      } else if (status === Status.DONE || status === Status.TRUNCATED) {
        const output = (at) => {
          const address = codecs.output(at);
          return new Uint8Array(codecs.memory.buffer, address, width * height * 3).slice();
        };
        const data = output(0);
        const others = further.map((_, at) => output(at + 1));
        return { status, data, others, info: info(), calls, used: offset };
      }
    }
  } catch (error) {
    if (error instanceof Thrown) throw new CodecError(error.status, info());
    throw error;
  }
}
