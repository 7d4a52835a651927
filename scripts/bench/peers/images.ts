/** The JPEGs that npm run bench:peers sends. */

import { inputs } from "../decode/inputs.ts";
import { encodeJpeg, readPhoto } from "../rivals/encoders.js";

export interface SizedImage {
  readonly size: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Pixels on a side of the smallest image: a network's input. */
const SIDE = 224;

const top = ({ width, data }: { readonly width: number; readonly data: Uint8Array }) =>
  Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, at) => {
    const [row, column] = [Math.floor(at / (3 * SIDE)), at % (3 * SIDE)];
    return data[3 * width * row + column];
  });

/** Baseline JPEGs of photos: 224 × 224 pixels, 640 × 480, 1080p and 12 megapixels. */
export async function jpegs(): Promise<SizedImage[]> {
  const images: SizedImage[] = [];
  for await (const { size, bytes, path } of inputs((format) => format === "JPEG")) {
    images.unshift({ size, bytes });
    if (size !== "640×480") continue;
    const data = top(readPhoto(path));
    const small = await encodeJpeg({ width: SIDE, height: SIDE, data }, { quality: 94, progressive: false });
    images.unshift({ size: `${SIDE}×${SIDE}`, bytes: new Uint8Array(small) });
  }
  return images;
}
