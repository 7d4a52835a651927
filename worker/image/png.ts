/** PNG: every colour type, bit depth and interlacing; of an animation the default image. */
import { inflate } from "./inflate.ts";
import type { Picture } from "./picture.ts";
import { readPng } from "./png-file.ts";
import { pushRows, unpackedLength } from "./png-rows.ts";

/**
 * Takes at most 8 bytes a pixel of memory while it decodes (RGBA of 16 bits), for RGB 3.
 *
 * @throws LabelerError "broken-image", "image-too-large" or "unsupported-image", before anything is unpacked.
 */
export function openPng(bytes: Uint8Array<ArrayBuffer>, maxPixels: number): Picture {
  const file = readPng(bytes, maxPixels);
  return {
    width: file.width,
    height: file.height,
    orientation: file.orientation,
    rows: async (sink) => pushRows(file, await inflate(file.data, unpackedLength(file), "PNG"), sink),
  };
}
