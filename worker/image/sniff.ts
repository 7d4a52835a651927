/** Recognises image formats by their first bytes; Content-Type and file names are ignored. */

/** Formats that are recognised. Only some can be decoded: see decode.ts. */
export type ImageFormat = "png" | "jpeg" | "webp" | "gif" | "bmp" | "pnm" | "tiff" | "avif" | "heic";

/** The valid sizes of DIB headers: "BM" alone would also match any text that begins so. */
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

/** The format by the brands. AVIF files often have "mif1" as major brand and "avif" among the compatible brands. */
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

/** How many of a file's first bytes are enough to recognise its format. */
export const SNIFF_BYTES = 256;

/** The format by the first bytes, or undefined. The rest of the file may still be damaged. */
export function sniff(bytes: Uint8Array): ImageFormat | undefined {
  // Four bytes of PNG's signature are enough: a transfer as text damages the other four, which the decoder explains.
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
 * The bytes before the image in a part of a camera's stream (multipart/x-mixed-replace) that was forwarded unchanged:
 * empty lines, the boundary and its headers; or the length of the image as a number of four bytes. A part with a
 * Content-Disposition belongs to a form.
 */
const PART =
  /^(?:\r?\n)*(?:--[^\r\n]{1,100}\r?\n)?(?:(?!content-disposition)[a-z-]{1,40}:[^\r\n]{0,100}\r?\n)*(?:\r?\n)*$/i;

/**
 * The offset of the image: 0, or after the headers of a part. Only JPEG is sent in such parts.
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

/** Whether the body itself is an image, rather than a form or JSON that contains one. */
export const isImage = (bytes: Uint8Array): boolean => sniff(bytes.subarray(imageStart(bytes))) !== undefined;
