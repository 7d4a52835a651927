/** Reads the pixels of reference pictures with upng-js alone, without the code under test. */
import UPNG from "upng-js";
import { reference } from "./files.ts";

/** To decode one takes longer than many a network, and each is shown to several. */
const decoded = new Map<string, Promise<Uint8Array>>();

async function decode(path: string): Promise<Uint8Array> {
  const [rgba] = UPNG.toRGBA8(UPNG.decode((await reference(path)).buffer));
  const source = new Uint8Array(rgba);
  const pixels = new Uint8Array((source.length / 4) * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4) {
    pixels[to++] = source[from];
    pixels[to++] = source[from + 1];
    pixels[to++] = source[from + 2];
  }
  return pixels;
}

/** [height, width, 3], 0..255, of a plain 8-bit RGB picture in the reference folder. Not to be written to. */
export function referencePixels(path: string): Promise<Uint8Array> {
  const pixels = decoded.get(path) ?? decode(path);
  decoded.set(path, pixels);
  return pixels;
}
