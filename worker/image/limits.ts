/** The limits that every format has to keep, checked against the header before anything is decoded. */
import { LabelerError } from "../errors.ts";
import type { Size } from "./resize.ts";

/** The longest side: JPEG's own limit. Taps and row buffers grow with a side, whatever the number of pixels. */
export const MAX_SIDE = 65_535;

const group = (n: number) => n.toLocaleString("en-US");

/** @throws LabelerError "broken-image" for an empty size, "image-too-large" above a limit. */
export function checkSize(format: string, { width, height }: Size, maxPixels: number): void {
  if (width === 0 || height === 0)
    throw new LabelerError(
      "broken-image",
      `The ${format}'s header says ${width} × ${height}: there is no image in it.`,
    );
  const pixels = width * height;
  if (pixels > maxPixels)
    throw new LabelerError(
      "image-too-large",
      `The ${format} has ${group(width)} × ${group(height)} = ${group(pixels)} pixels and the limit is ` +
        `${group(maxPixels)}. Send a smaller image, or raise the setting MAX_PIXELS.`,
    );
  if (width > MAX_SIDE || height > MAX_SIDE)
    throw new LabelerError(
      "image-too-large",
      `The ${format} has ${group(width)} × ${group(height)} pixels and the limit of a side is ${group(MAX_SIDE)}. ` +
        "MAX_PIXELS does not change this limit: send an image with shorter sides.",
    );
}
