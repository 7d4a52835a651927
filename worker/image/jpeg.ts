/** JPEG, baseline and progressive, of 8 bits, grey and RGB. Decodes a whole frame at once: at most 9 bytes a pixel. */
import { LabelerError } from "../errors.ts";
import { decodeJpeg, JpegError } from "./jpeg-decoder.ts";
import { type JpegFile, readJpeg } from "./jpeg-file.ts";
import type { Picture, RowSink } from "./picture.ts";

const END_OF_IMAGE = Uint8Array.of(0xff, 0xd9);

/**
 * What libjpeg says when a marker comes while it wants more data. When the marker is the end that was added here, rows
 * are missing, which it would make up in grey.
 */
const CUT_OFF = "premature end of data segment";

/** Many cameras leave out the end marker, so it is added, and only missing rows make the image a broken one. */
function withEnd(bytes: Uint8Array): Uint8Array {
  const ended = new Uint8Array(bytes.length + END_OF_IMAGE.length);
  ended.set(bytes);
  ended.set(END_OF_IMAGE, bytes.length);
  return ended;
}

async function pushRows(bytes: Uint8Array, file: JpegFile, sink: RowSink): Promise<void> {
  const { data, width, height, warnings } = await decodeJpeg(file.complete ? bytes : withEnd(bytes)).catch((error) => {
    if (!(error instanceof JpegError)) throw error;
    throw new LabelerError(
      "broken-image",
      `The JPEG cannot be decoded (libjpeg: ${error.message}). Send it again, or save it anew.`,
      { cause: error },
    );
  });
  if (!file.complete && warnings.some((warning) => warning.includes(CUT_OFF)))
    throw new LabelerError("broken-image", "The JPEG ends before its last row: it is cut off. Send all of it.");
  if (width !== file.width || height !== file.height)
    throw new Error(`the decoder's ${width} × ${height} are not the header's ${file.width} × ${file.height}`);
  const row = new Uint8Array(width * 3);
  for (let y = 0, from = 0; y < height; y++) {
    for (let to = 0; to < row.length; to += 3, from += 4) {
      row[to] = data[from];
      row[to + 1] = data[from + 1];
      row[to + 2] = data[from + 2];
    }
    sink(row);
  }
}

/**
 * What is damaged within the data, but not cut off, is decoded as far as it goes, as in Pillow and in browsers.
 *
 * @throws LabelerError "broken-image", "image-too-large" or "unsupported-image", before anything is decoded.
 */
export function openJpeg(bytes: Uint8Array<ArrayBuffer>, maxPixels: number): Picture {
  const file = readJpeg(bytes, maxPixels);
  return { ...file, rows: (sink) => pushRows(bytes, file, sink) };
}
