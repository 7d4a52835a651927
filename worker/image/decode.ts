/** From the bytes of an image file to the pixels of a model's input: the one entry to this folder. */
import { LabelerError } from "../errors.ts";
import { openJpeg } from "./jpeg.ts";
import { layoutOf } from "./orientation.ts";
import type { Picture } from "./picture.ts";
import { openPng } from "./png.ts";
import { type Box, RowResizer, type Size } from "./resize.ts";
import { type ImageFormat, sniff } from "./sniff.ts";

export interface DecodeOptions extends Size {
  /** `squash` resizes all of the picture whatever its shape, `center` only the square of centerBox. */
  crop: "squash" | "center";
  /** Whether the picture is turned as EXIF says, or taken as stored, as eKuiper's tutorial plugin does. */
  exif: "apply" | "ignore";
  /** Images of more pixels are refused before they are decoded: the setting MAX_PIXELS. */
  maxPixels: number;
}

export interface DecodedImage {
  format: ImageFormat;
  /** Of the picture as it is seen, that is after `exif`. */
  sourceWidth: number;
  sourceHeight: number;
  /** [height, width, 3] RGB, 0..255: the bytes of Pillow's convert("RGB"), crop and resize (bicubic, up to 12.2). */
  pixels: Uint8Array<ArrayBuffer>;
}

/** The formats that can be decoded, each by its own file. */
const OPEN: Partial<Record<ImageFormat, (bytes: Uint8Array<ArrayBuffer>, maxPixels: number) => Picture>> = {
  png: openPng,
  jpeg: openJpeg,
};

const NAMES: Record<ImageFormat, string> = {
  png: "PNG",
  jpeg: "JPEG",
  webp: "WebP",
  gif: "GIF",
  bmp: "BMP",
  tiff: "TIFF",
  avif: "AVIF",
  heic: "HEIC",
};

/** For sentences that tell what to send instead: "PNG or JPEG". */
const SUPPORTED = new Intl.ListFormat("en", { type: "disjunction" }).format(
  Object.keys(OPEN).map((format) => NAMES[format as ImageFormat]),
);

/** The first bytes for a person: as text if they are, since what is sent by mistake mostly is. */
function beginning(bytes: Uint8Array): string {
  const first = bytes.subarray(0, 8);
  const text = new TextDecoder().decode(first);
  if (/^[\x20-\x7e]+$/.test(text)) return JSON.stringify(text);
  return `the bytes ${Array.from(first, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}

function unsupported(bytes: Uint8Array, format: ImageFormat | undefined): LabelerError {
  let what: string;
  if (format !== undefined) what = `This is ${format === "avif" ? "an" : "a"} ${NAMES[format]} image`;
  else if (bytes.length === 0) what = "There is not a single byte in this image";
  else what = `This is not an image of a known format: it begins with ${beginning(bytes)}`;
  return new LabelerError("unsupported-image", `${what}. Send ${SUPPORTED}.`);
}

/** How much of the short side the central crop keeps, as in the training of the MobileNets. */
const CENTER = 0.875;

/**
 * The central square: its side is 87.5 % of the short side, rounded to the nearest pixel (halves up) and at least 1;
 * where the margins cannot be equal, the left and upper ones are the smaller by a pixel.
 */
export function centerBox({ width, height }: Size): Box {
  const side = Math.max(1, Math.round(Math.min(width, height) * CENTER));
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), width: side, height: side };
}

/**
 * Decodes an image and resizes it to `width` × `height`.
 *
 * @throws LabelerError "unsupported-image", "broken-image" or "image-too-large", each with cause and mend. Whatever
 * else is thrown is a bug.
 * @example
 * const { pixels } = await decodeToInput(bytes, { width: 224, height: 224, crop: "squash", exif: "apply", maxPixels: 4e6 });
 */
export async function decodeToInput(
  bytes: Uint8Array<ArrayBuffer>,
  { width, height, crop, exif, maxPixels }: DecodeOptions,
): Promise<DecodedImage> {
  const format = sniff(bytes);
  const open = format && OPEN[format];
  if (format === undefined || open === undefined) throw unsupported(bytes, format);
  const picture = open(bytes, maxPixels);
  const orientation = exif === "apply" ? picture.orientation : 1;
  const seen: Size = layoutOf(orientation).transposed
    ? { width: picture.height, height: picture.width }
    : { width: picture.width, height: picture.height };
  const resizer = new RowResizer(
    picture,
    { width, height },
    { orientation, ...(crop === "center" && { crop: centerBox(seen) }) },
  );
  await picture.rows((row) => resizer.pushRow(row));
  return { format, sourceWidth: seen.width, sourceHeight: seen.height, pixels: resizer.finish() };
}
