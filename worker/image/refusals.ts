/** Explains why an image is not decoded, in sentences for its sender: cause, limit and fix. */
import { LabelerError } from "../errors.ts";
import { group } from "../validation/words.ts";
import type { CodecError, UnsupportedKind } from "./codecs.ts";
import { MOST_SIDE } from "./layouts.ts";
import type { ImageFormat } from "./sniff.ts";

/** Limits without a setting: files of cameras and encoders stay far below, malicious files do not. */
export const MAX_SCANS = 100;
export const MAX_CHUNKS = 100_000;

const NAMES: Readonly<Record<ImageFormat, string>> = {
  png: "PNG",
  jpeg: "JPEG",
  webp: "WebP",
  gif: "GIF",
  bmp: "BMP",
  pnm: "PNM",
  tiff: "TIFF",
  avif: "AVIF",
  heic: "HEIC",
};

const SUPPORTED = "JPEG, PNG, WebP, GIF, BMP, TIFF or PNM (P5, P6)";

/** How to make a phone take JPEGs. */
const HEIF_HINT = " On an iPhone: Settings, Camera, Formats, Most Compatible.";

/** The first bytes in readable form: as text if they are text, since files that are sent by mistake mostly are. */
function beginning(bytes: Uint8Array): string {
  const first = bytes.subarray(0, 8);
  const text = new TextDecoder().decode(first);
  if (/^[\x20-\x7e]+$/.test(text)) return JSON.stringify(text);
  return `the bytes ${Array.from(first, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}

/** The error for files that codecs.wasm does not decode. @param bytes The beginning of the file. */
export function unsupported(bytes: Uint8Array, format: ImageFormat | undefined): LabelerError {
  let what = `This is not an image of a known format: it begins with ${beginning(bytes)}`;
  if (format !== undefined) what = `This is ${format === "avif" ? "an" : "a"} ${NAMES[format]} image`;
  else if (bytes.length === 0) what = "There is not a single byte in this image";
  const hint = format === "heic" ? HEIF_HINT : "";
  return new LabelerError("unsupported-image", `${what}. Send ${SUPPORTED}.${hint}`);
}

/** Valid files that are not decoded: their kind, and the fix. */
const KINDS: Readonly<Record<Exclude<UnsupportedKind, "other">, string>> = {
  twelveBit: "has 12 or 16 bits per channel, which is not supported. Save it with 8 bits, or as a PNG.",
  losslessJpeg: "is lossless (process 14), as scanners of medicine write it, which is not supported. Send it as a PNG.",
  hierarchical: "is hierarchical, which is not supported. Save it as a baseline JPEG.",
  components: "has a number of channels other than 1, 3 or 4, which is not supported. Save it in grey or RGB.",
  cgbi:
    "is in Apple's CgBI form, as Xcode packs it into apps for iOS, which is not a PNG by its standard. Send the original, " +
    "or restore it with `pngcrush -revert-iphone-optimizations`.",
  bigTiff: "has offsets of 8 bytes (BigTIFF), which is not supported. Save it as a TIFF of less than 4 GB or as a PNG.",
  tiffTiles: "is in tiles, which is not supported. Save it in strips, or as a PNG.",
  tiffCompression:
    "is compressed in a way that is not supported: none, PackBits, LZW and Deflate are. Save it so, or as a PNG.",
  tiffColors: "is of a kind that is not supported: grey and RGB of 8 or 16 bits are. Save it so, or as a PNG.",
};

/** Converts the codec's refusal to an error of the caller. */
export function refusalOf(error: CodecError, format: ImageFormat, maxPixels: number): LabelerError {
  const name = NAMES[format];
  const { width, height, coefficientBytes, unsupported } = error.info;
  const of = (kind: "unsupported-image" | "broken-image" | "image-too-large", detail: string) =>
    new LabelerError(kind, detail, { cause: error });
  switch (error.refusal) {
    case "pixels":
      return of(
        "image-too-large",
        `The ${name} has ${group(width)} × ${group(height)} = ${group(width * height)} pixels and the limit is ` +
          `${group(maxPixels)}. Send a smaller image, or raise the setting MAX_PIXELS.`,
      );
    case "side":
      return of(
        "image-too-large",
        `The ${name} of ${group(width)} × ${group(height)} pixels has a side that is longer than the limit of ` +
          `${group(MOST_SIDE)} pixels. Send a smaller image.`,
      );
    case "work":
      // ALLOWANCE and PER_BYTE in native/codecs/src/jpeg_scans.c.
      return of(
        "image-too-large",
        `The scans of the JPEG ask for more work on its ${group(width)} × ${group(height)} pixels than the limit allows, ` +
          "which is about half a second, and 64 ms more for each megabyte of the file. Save it as a baseline JPEG in " +
          "Huffman coding, or send it smaller.",
      );
    case "memory":
    case "coefficients":
      return of(
        "image-too-large",
        `The ${name} of ${group(width)} × ${group(height)} pixels has to be buffered whole` +
          `${coefficientBytes > 0 ? `, in ${group(coefficientBytes)} bytes,` : ""} and that is more memory than an image ` +
          "may take. Send it smaller, or as a baseline JPEG or a PNG without interlacing.",
      );
    case "scans":
      return of("image-too-large", `The JPEG has more than ${MAX_SCANS} scans, which is the limit. Save it anew.`);
    case "chunks":
      return of(
        "image-too-large",
        `The ${name} has more than ${group(MAX_CHUNKS)} chunks, which is the limit. Save it anew.`,
      );
    case "unsupported":
      return of(
        "unsupported-image",
        unsupported === "other"
          ? `This kind of ${name} is not supported. Send it as a baseline JPEG or as a PNG.`
          : `The ${name} ${KINDS[unsupported]}`,
      );
    case "signature":
      return of(
        "broken-image",
        `The ${name} was sent as text, which has changed its line ends or bytes. Send the file as binary data, such as ` +
          "with curl --data-binary.",
      );
    case "checksum":
      return of("broken-image", `A checksum in the ${name} does not match: the file is damaged. Send it again.`);
    case "empty":
      return of("broken-image", `The ${name} ends before its first row of pixels. Send the whole file.`);
    default:
      return of("broken-image", `The ${name} is damaged: what it says contradicts its format. Send it again.`);
  }
}
