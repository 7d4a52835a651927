// Made from native/layouts/codecs.json by `npm run layouts`: do not edit.
/**
 * What codecs.wasm and its loader share: exports, status codes, formats, flags and the info block. Numbers are never
 * reused.
 */

/** the most pixels of a side: each row and each column has a cost of its own, however short it is */
export const MOST_SIDE = 262144;

/** the most crops of one image */
export const MOST_CROPS = 32;

/** The result of a successful call. */
export const Status = {
  /** give more bytes, or call `end`, then run again */
  needInput: 0,
  /** the header is known: read `info`, then call `start` */
  header: 1,
  /** the requested rows are done: run again when convenient */
  more: 2,
  /** every wanted row is in the output */
  done: 3,
  /**
   * the data ended early: info.missing says how much of the picture is missing; that part is black (JPEG: grey or
   * coarse)
   */
  truncated: 4,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/**
 * The result of a call that refuses the image. The instance can be opened again, unless the status came through the
 * import `fail` (errors.c).
 */
export const Refusal = {
  /** calls out of order, or an argument out of range: a mistake of the host */
  usage: -1,
  /** this image exceeds the memory limit given to `init` */
  memory: -2,
  /** the bytes are not of the format that was opened */
  signature: -3,
  /** a valid file of an unsupported kind: info.unsupported */
  unsupported: -4,
  /** the file contradicts its format */
  broken: -5,
  /** the input ended before the first row */
  empty: -6,
  /** more pixels than `init` allows */
  pixels: -7,
  /** more JPEG scans than `init` allows (a scan bomb) */
  scans: -8,
  /** more PNG, WebP or GIF chunks than `init` allows */
  chunks: -9,
  /** the JPEG must be buffered whole at this scale, which exceeds the memory limit */
  coefficients: -10,
  /** a critical PNG chunk fails its CRC */
  checksum: -11,
  /** JPEG scans would cost far more time than the size of the file justifies */
  work: -12,
  /** a side of more than MOST_SIDE pixels */
  side: -13,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** The argument of `open`. */
export const Format = {
  jpeg: 1,
  png: 2,
  webp: 3,
  gif: 4,
  bmp: 5,
  /** raw: P5 and P6 */
  pnm: 6,
  /** in strips */
  tiff: 7,
} as const;
export type Format = (typeof Format)[keyof typeof Format];

/** Bits of info.flags. */
export const Flag = {
  /** JPEG: spectral selection or successive approximation */
  progressive: 1,
  /** JPEG: more than one scan, so coefficients are buffered (info.coefficientBytes) */
  buffered: 2,
  /** PNG Adam7 or an interlaced GIF */
  interlaced: 4,
  /** only the first frame is decoded */
  animated: 8,
  /** WebP VP8L */
  lossless: 16,
  /** the file has transparency, which is dropped */
  alpha: 32,
  /** JPEG: `start` chose the decoder that reads only DC coefficients */
  dcOnly: 64,
} as const;
export type Flag = (typeof Flag)[keyof typeof Flag];

/** info.unsupported: the unsupported kind of file, with ERROR_UNSUPPORTED. */
export const Unsupported = {
  /** a kind without a name here */
  other: 0,
  /** JPEG of 12 or 16 bits a channel */
  twelveBit: 1,
  /** JPEG process 14 */
  losslessJpeg: 2,
  /** JPEG of several frames */
  hierarchical: 3,
  /** JPEG of 2 components or more than 4 */
  components: 4,
  /** PNG as Apple's tools rewrite it for iOS: BGRA, without a zlib header */
  cgbi: 5,
  /** TIFF with offsets of 8 bytes */
  bigTiff: 6,
  /** TIFF in tiles */
  tiffTiles: 7,
  /** TIFF with a compression other than none, PackBits, LZW and Deflate */
  tiffCompression: 8,
  /** TIFF with bits other than 8 or 16, or colours other than grey and RGB */
  tiffColors: 9,
} as const;
export type Unsupported = (typeof Unsupported)[keyof typeof Unsupported];

/**
 * Bits of the argument `order` of `start`: how the stored rows are oriented in the picture, as far as that affects the
 * result. The output stays as stored.
 */
export const ResizeOrder = {
  /** columns are stored in the reverse of the order in which they are displayed */
  mirrorColumns: 1,
  /** rows are */
  mirrorRows: 2,
  /** Pillow's first pass runs along the stored columns, which are the rows of the picture */
  rowsFirst: 4,
} as const;
export type ResizeOrder = (typeof ResizeOrder)[keyof typeof ResizeOrder];

/** Information about the image. */
export interface Info {
  /** enum Format */
  readonly format: number;
  /** of the whole image in the file, before orientation */
  readonly width: number;
  readonly height: number;
  /** EXIF 1..8; 1 if the file has none. WebP: known once all bytes are in */
  readonly orientation: number;
  /** enum Flag */
  readonly flags: number;
  /** channels in the file: 1 grey or palette, 2 grey and alpha, 3, 4 */
  readonly components: number;
  /** per channel */
  readonly bits: number;
  /** JPEG with FLAG_BUFFERED: bytes that decoding takes unless it is DC only; otherwise 0 */
  readonly coefficientBytes: number;
  /** after `start`: of the image that is cropped and resized */
  readonly scaledWidth: number;
  readonly scaledHeight: number;
  /** wanted rows that came from the file so far */
  readonly rows: number;
  /** rows of the crop */
  readonly wantedRows: number;
  /** JPEG: damaged places that the decoder skipped, without those behind an early end of the input */
  readonly warnings: number;
  /** scans (JPEG), chunks (PNG, WebP) or blocks (GIF) found so far */
  readonly parts: number;
  /** of the last error: libjpeg's message code, libwebp's status, or 0 */
  readonly detail: number;
  /** most bytes of wasm memory in use at once, static data included */
  readonly peakMemory: number;
  /**
   * with TRUNCATED: millionths of the wanted rows, or of the bits of a buffered JPEG's coefficients, that never came
   */
  readonly missing: number;
  /** enum Unsupported */
  readonly unsupported: number;
}

/** Reads struct Info. */
export function readInfo(buffer: ArrayBufferLike, address: number): Info {
  const words = new Int32Array(buffer, address, 18);
  return {
    format: words[0],
    width: words[1],
    height: words[2],
    orientation: words[3],
    flags: words[4],
    components: words[5],
    bits: words[6],
    coefficientBytes: words[7],
    scaledWidth: words[8],
    scaledHeight: words[9],
    rows: words[10],
    wantedRows: words[11],
    warnings: words[12],
    parts: words[13],
    detail: words[14],
    peakMemory: words[15],
    missing: words[16],
    unsupported: words[17],
  };
}

/** The functions that the module exports. Addresses are numbers. */
export interface Exports {
  /**
   * Resets the instance. Limits: bytes of memory in all, pixels, JPEG scans, PNG and WebP chunks or GIF blocks; 0 for
   * none.
   */
  init(memory: number, pixels: number, scans: number, chunks: number): number;
  /** Waits for an image of this format. */
  open(format: number): number;
  /**
   * The address to which the next bytes of the file are written; 0 if the memory limit does not allow them. Valid until
   * the next call.
   */
  reserve(size: number): number;
  /** Adds the first `size` of the reserved bytes to the input. */
  commit(size: number): number;
  /** Declares the end of the input. */
  end(): number;
  /** Eighths of a pixel, 0 to 7, that are cut off each side of the crop that is declared next, by `also` or `start`. */
  inset(left: number, right: number, top: number, bottom: number): number;
  /**
   * Declares, before `start`, a further crop of the image, in the same pixels, that is resized to the same size;
   * MOST_CROPS in all.
   */
  also(x: number, y: number, width: number, height: number, order: number): number;
  /**
   * Scale in eighths, crop in pixels of the scaled image as stored (all 0 for the whole image), size of the output as
   * stored, enum ResizeOrder.
   */
  start(
    eighths: number,
    x: number,
    y: number,
    width: number,
    height: number,
    outWidth: number,
    outHeight: number,
    order: number,
  ): number;
  /** Decodes as much as the input allows, but no more than about `rows` rows; 0 for no limit. */
  run(rows: number): number;
  /** The address of struct Info. */
  info(): number;
  /**
   * The address of [outHeight, outWidth, 3] uint8 RGB of crop 0, which is that of `start`, or of a further one; 0
   * before `start`. Valid until the next `init`.
   */
  output(crop: number): number;
}
