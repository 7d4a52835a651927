/**
 * Walks the segments of a JPEG before a decoder sees it: size, orientation, and what a decoder cannot or must not be
 * asked to do. Source: ITU-T T.81, annex B.
 */
import { LabelerError } from "../errors.ts";
import { exifOrientation } from "./exif.ts";
import { checkSize } from "./limits.ts";
import type { Orientation } from "./orientation.ts";
import type { Size } from "./resize.ts";

export interface JpegFile extends Size {
  orientation: Orientation;
  /** Whether the end marker (EOI) is there. */
  complete: boolean;
}

/** Each scan of a progressive image is a pass over all of it. Real files have about ten; a scan of a few bytes is a bomb. */
const MAX_SCANS = 100;

const SOF0 = 0xc0;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const APP1 = 0xe1;
const JPEG_LS = 0xf7;

/** Markers without a length: TEM and RST0..7; 0 is a stuffed byte within a scan. */
const isAlone = (marker: number) => marker <= 0x01 || (marker >= 0xd0 && marker <= SOI);

/** SOF0..SOF15 less DHT, JPG and DAC, which lie among them. */
const isFrame = (marker: number) =>
  (marker >= SOF0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) || marker === JPEG_LS;

/** What a frame is that cannot be decoded; baseline, extended and progressive ones (SOF0..SOF2) can. */
function unsupportedFrame(marker: number): string | undefined {
  if (marker === JPEG_LS) return "JPEG-LS";
  const type = marker - SOF0;
  if (type === 3) return "lossless (SOF3)";
  if (type >= 9) return `coded arithmetically (SOF${type})`;
  return type >= 5 ? `hierarchical (SOF${type})` : undefined;
}

const broken = (detail: string) => new LabelerError("broken-image", detail);
const unsupported = (what: string) =>
  new LabelerError("unsupported-image", `This JPEG ${what}. Send it as a baseline or progressive RGB or grey JPEG.`);

/** @param body The frame header behind its length. */
function readFrame(marker: number, body: Uint8Array, maxPixels: number): Size {
  const kind = unsupportedFrame(marker);
  if (kind !== undefined) throw unsupported(`is ${kind}, which is not supported`);
  if (body.length < 6) throw broken("The JPEG's frame header (SOF) is too short.");
  const [precision, , , , , components] = body;
  if (precision !== 8) throw unsupported(`has ${precision} bits per sample, and only 8 are supported`);
  if (components === 4) throw unsupported("has four colour components (CMYK), which are for printing");
  if (components !== 1 && components !== 3) throw unsupported(`has ${components} colour components, not 1 or 3`);
  const size = { height: body[1] * 256 + body[2], width: body[3] * 256 + body[4] };
  checkSize("JPEG", size, maxPixels);
  return size;
}

/** [Exif, 0, 0] begins the APP1 segment that carries EXIF; others carry XMP. */
const isExif = (body: Uint8Array) => body.length > 6 && String.fromCharCode(...body.subarray(0, 6)) === "Exif\0\0";

/**
 * Passes over what is between segments as decoders do, so it comes to the same frame header as they do.
 *
 * @throws LabelerError "image-too-large" by the header alone; "unsupported-image"; "broken-image" if there is no header
 * or no data. Damage beyond the header is the decoder's to find.
 */
export function readJpeg(bytes: Uint8Array, maxPixels: number): JpegFile {
  let frame: Size | undefined;
  let orientation: Orientation | undefined;
  let scans = 0;
  let complete = false;
  for (let at = bytes.indexOf(0xff, 2); at >= 0; at = bytes.indexOf(0xff, at)) {
    while (bytes[at] === 0xff) at++;
    const marker = bytes[at++];
    if (marker === EOI) complete = true;
    if (marker === EOI || marker === undefined) break;
    if (isAlone(marker)) continue;
    const end = at + bytes[at] * 256 + bytes[at + 1];
    if (!(end <= bytes.length)) break; // cut off, perhaps within the length
    if (end < at + 2) throw broken("The JPEG has a segment of an impossible length. Send it again.");
    const body = bytes.subarray(at + 2, end);
    at = end;
    if (marker === SOS) {
      if (frame === undefined) throw broken("The JPEG has image data ahead of its frame header (SOF).");
      if (++scans > MAX_SCANS) throw unsupported(`has more than ${MAX_SCANS} scans, which only an attack has`);
    } else if (isFrame(marker)) frame ??= readFrame(marker, body, maxPixels);
    else if (marker === APP1 && isExif(body)) orientation ??= exifOrientation(body.subarray(6));
  }
  if (frame === undefined || scans === 0)
    throw broken(`The JPEG ends before its ${frame ? "image data" : "frame header"}: it is cut off. Send all of it.`);
  return { ...frame, orientation: orientation ?? 1, complete };
}
