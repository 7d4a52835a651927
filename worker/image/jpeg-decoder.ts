/**
 * Keeps an instance of @jsquash/jpeg's decoder (mozjpeg), made from its wasm module when the first image comes.
 *
 * Its memory never shrinks (31 MB after a progressive image of 4 megapixels), but it is only thrown away after an error:
 * V8 does not count wasm memory as garbage, and a hundred instances lie about before it collects them.
 */
import createDecoder from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import wasm from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";

interface DecodedJpeg {
  /** [height, width, 4] RGBA. */
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** What is used of emscripten's module. */
interface Decoder {
  decode(jpeg: Uint8Array, preserveOrientation: boolean): DecodedJpeg | null;
}

/** A JPEG that the decoder gave up on, for a reason in libjpeg's words. */
export class JpegError extends Error {
  override readonly name = "JpegError";
}

/** The globals of a browser that the package looks for, and that it would leave behind where there are none. */
const BORROWED = ["ImageData", "location"];

/** Runs `action` with a global ImageData and then leaves the globals as they were. */
function withImageData<T>(action: () => T): T {
  const missing = BORROWED.filter((name) => Reflect.get(globalThis, name) === undefined);
  if (missing.includes("ImageData"))
    Reflect.set(
      globalThis,
      "ImageData",
      class implements DecodedJpeg {
        constructor(
          readonly data: Uint8ClampedArray,
          readonly width: number,
          readonly height: number,
        ) {}
      },
    );
  try {
    return action();
  } finally {
    for (const name of missing) Reflect.deleteProperty(globalThis, name);
  }
}

/** What libjpeg has said in the decode that is under way; decoding is synchronous, so there is only one. */
let messages: string[] = [];

/** Not the promise of one: a request must not wait for what another began. */
let instance: Decoder | undefined;

const instantiate = (): Promise<Decoder> =>
  withImageData(() =>
    createDecoder({
      noInitialRun: true,
      locateFile: (path: string) => path, // else it makes a URL of import.meta.url, which a bundle does not have
      print: () => {},
      printErr: (line: string) => messages.push(line),
      instantiateWasm(imports: WebAssembly.Imports, done: (made: WebAssembly.Instance) => void) {
        const made = new WebAssembly.Instance(wasm, imports);
        done(made);
        return made.exports;
      },
    }),
  );

/**
 * Decodes to RGBA as stored, whatever EXIF says.
 *
 * @returns The image and libjpeg's warnings (it gives the first one only).
 * @throws JpegError
 */
export async function decodeJpeg(bytes: Uint8Array): Promise<DecodedJpeg & { warnings: readonly string[] }> {
  instance ??= await instantiate();
  const decoder = instance;
  messages = [];
  try {
    const image = withImageData(() => decoder.decode(bytes, false));
    if (image === null) throw new Error("the decoder gave no image");
    return { data: image.data, width: image.width, height: image.height, warnings: messages };
  } catch (cause) {
    instance = undefined; // libjpeg left by exit(): neither its memory nor its stack was freed
    throw new JpegError(messages.at(-1) ?? "no reason given", { cause });
  }
}
