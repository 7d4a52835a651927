/** Tells image formats apart by their first bytes; Content-Type and file names are not believed. */

/** Formats that are recognised. Only some can be decoded: see decode.ts. */
export type ImageFormat = "png" | "jpeg" | "webp" | "gif" | "bmp" | "pnm" | "tiff" | "avif" | "heic";

/** The DIB header sizes that exist: "BM" alone would also match any text that begins so. */
const BMP_HEADER_SIZES = new Set([12, 16, 40, 52, 56, 64, 108, 124]);

/** Major and compatible brands of ISO base media files (ISO/IEC 23008-12, AV1 Image File Format). */
const HEIF_BRANDS: Record<string, ImageFormat> = {
  avif: "avif",
  avis: "avif",
  heic: "heic",
  heix: "heic",
  heim: "heic",
  heis: "heic",
  hevc: "heic",
  hevx: "heic",
  mif1: "heic",
  msf1: "heic",
};

const ascii = (bytes: Uint8Array, start: number, end: number) => String.fromCharCode(...bytes.subarray(start, end));

/** AVIF files often have "mif1" as their major brand and "avif" among the compatible ones, so those decide too. */
function heifFormat(bytes: Uint8Array): ImageFormat | undefined {
  const boxEnd = Math.min(bytes.length, 256, bytes[2] * 256 + bytes[3]);
  let found: ImageFormat | undefined;
  for (let at = 8; at + 4 <= boxEnd; at += 4) {
    const format = HEIF_BRANDS[ascii(bytes, at, at + 4)];
    if (format === "avif") return format;
    found ??= format;
  }
  return found;
}

/** How many of a file's first bytes are enough to tell. */
export const SNIFF_BYTES = 256;

/** The format that the first bytes announce, or undefined. Says nothing about whether the rest is sound. */
export function sniff(bytes: Uint8Array): ImageFormat | undefined {
  // Four bytes of PNG's signature are enough: the other four show damage by a transfer as text, which the decoder explains.
  if (ascii(bytes, 0, 4) === "\x89PNG") return "png";
  if (ascii(bytes, 0, 3) === "\xff\xd8\xff") return "jpeg";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "webp";
  if (/^GIF8[79]a/.test(ascii(bytes, 0, 6))) return "gif";
  if (ascii(bytes, 0, 2) === "BM" && BMP_HEADER_SIZES.has(bytes[14]) && ascii(bytes, 15, 18) === "\0\0\0") return "bmp";
  if (/^P[56]\s+(#|\d)/.test(ascii(bytes, 0, 16))) return "pnm";
  if (/^(II[*+]\0|MM\0[*+])/.test(ascii(bytes, 0, 4))) return "tiff";
  if (ascii(bytes, 4, 8) === "ftyp") return heifFormat(bytes);
  return undefined;
}

/**
 * What stands before the image in a part of a camera's stream (multipart/x-mixed-replace) that was forwarded as it came:
 * empty lines, the boundary and its headers; or the length of the image as a number of four bytes. A part with a
 * Content-Disposition is one of a form.
 */
const PART =
  /^(?:\r?\n)*(?:--[^\r\n]{1,100}\r?\n)?(?:(?!content-disposition)[a-z-]{1,40}:[^\r\n]{0,100}\r?\n)*(?:\r?\n)*$/i;

/**
 * Where the image begins: 0, or behind the headers of a part. Only JPEG comes so.
 *
 * @param bytes The first SNIFF_BYTES of a body, or all if it has fewer.
 */
export function imageStart(bytes: Uint8Array): number {
  if (bytes[0] === 0xff || bytes[0] === 0x89) return 0;
  const head = bytes.subarray(0, SNIFF_BYTES);
  const at = head.findIndex((byte, i) => byte === 0xff && head[i + 1] === 0xd8 && head[i + 2] === 0xff);
  if (at <= 0) return 0;
  return at === 4 || PART.test(ascii(head, 0, at)) ? at : 0;
}

/** Whether a body is an image as it stands, rather than a form or JSON that carries one. */
export const isImage = (bytes: Uint8Array): boolean => sniff(bytes.subarray(imageStart(bytes))) !== undefined;
