/** Finds the orientation in EXIF data, which is a small TIFF file. Nothing else of it is read. */
import { type Orientation, toOrientation } from "./orientation.ts";

const ORIENTATION = 0x0112;
const SHORT = 3;
const LONG = 4;

/**
 * @param tiff The EXIF data from its byte order mark on ("II" or "MM").
 * @returns 1 if there is none or the data is damaged: a picture is not refused for its notes.
 */
export function exifOrientation(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  if (tiff.length < 8) return 1;
  const order = view.getUint16(0);
  const little = order === 0x4949;
  if ((!little && order !== 0x4d4d) || view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) return 1;
    if (view.getUint16(entry, little) !== ORIENTATION) continue;
    const type = view.getUint16(entry + 2, little);
    if (type === SHORT) return toOrientation(view.getUint16(entry + 8, little));
    if (type === LONG) return toOrientation(view.getUint32(entry + 8, little));
    return 1;
  }
  return 1;
}
