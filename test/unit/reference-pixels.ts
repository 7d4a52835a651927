/** Pixels of reference pictures, read by upng-js alone so that none of the code under test is in them. */
import UPNG from "upng-js";
import { reference } from "./files.ts";

/** [height, width, 3], 0..255, of a plain 8-bit RGB picture in the reference folder. */
export async function referencePixels(path: string): Promise<Uint8Array> {
  const [rgba] = UPNG.toRGBA8(UPNG.decode((await reference(path)).buffer));
  const source = new Uint8Array(rgba);
  return Uint8Array.from({ length: (source.length / 4) * 3 }, (_, i) => source[Math.floor(i / 3) * 4 + (i % 3)]);
}
