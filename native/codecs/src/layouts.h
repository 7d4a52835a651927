/* Made from native/layouts/codecs.json by `npm run layouts`: do not edit. */
/* clang-format off */

/* What codecs.wasm and its loader share: exports, status codes, formats, flags and the info block. Numbers are never
 * reused. */

#ifndef CODECS_LAYOUTS_H
#define CODECS_LAYOUTS_H

#include <stddef.h>
#include <stdint.h>

enum {
  /* the most pixels of a side: each row and each column has a cost of its own, however short it is */
  MOST_SIDE = 262144,
  MOST_CROPS = 32, /* the most crops of one image */
};

/* The result of a successful call. */
enum Status {
  STATUS_NEED_INPUT = 0, /* give more bytes, or call `end`, then run again */
  STATUS_HEADER = 1,     /* the header is known: read `info`, then call `start` */
  STATUS_MORE = 2,       /* the requested rows are done: run again when convenient */
  STATUS_DONE = 3,       /* every wanted row is in the output */
  /* the data ended early: info.missing says how much of the picture is missing; that part is black (JPEG: grey or
   * coarse) */
  STATUS_TRUNCATED = 4,
};

/* The result of a call that refuses the image. The instance can be opened again, unless the status came through the
 * import `fail` (errors.c). */
enum Refusal {
  ERROR_USAGE = -1,         /* calls out of order, or an argument out of range: a mistake of the host */
  ERROR_MEMORY = -2,        /* this image exceeds the memory limit given to `init` */
  ERROR_SIGNATURE = -3,     /* the bytes are not of the format that was opened */
  ERROR_UNSUPPORTED = -4,   /* a valid file of an unsupported kind: info.unsupported */
  ERROR_BROKEN = -5,        /* the file contradicts its format */
  ERROR_EMPTY = -6,         /* the input ended before the first row */
  ERROR_PIXELS = -7,        /* more pixels than `init` allows */
  ERROR_SCANS = -8,         /* more JPEG scans than `init` allows (a scan bomb) */
  ERROR_CHUNKS = -9,        /* more PNG, WebP or GIF chunks than `init` allows */
  ERROR_COEFFICIENTS = -10, /* the JPEG must be buffered whole at this scale, which exceeds the memory limit */
  ERROR_CHECKSUM = -11,     /* a critical PNG chunk fails its CRC */
  ERROR_WORK = -12,         /* JPEG scans would cost far more time than the size of the file justifies */
  ERROR_SIDE = -13,         /* a side of more than MOST_SIDE pixels */
};

/* The argument of `open`. */
enum Format {
  FORMAT_JPEG = 1,
  FORMAT_PNG = 2,
  FORMAT_WEBP = 3,
  FORMAT_GIF = 4,
  FORMAT_BMP = 5,
  FORMAT_PNM = 6,  /* raw: P5 and P6 */
  FORMAT_TIFF = 7, /* in strips */
};

/* Bits of info.flags. */
enum Flag {
  FLAG_PROGRESSIVE = 1, /* JPEG: spectral selection or successive approximation */
  FLAG_BUFFERED = 2,    /* JPEG: more than one scan, so coefficients are buffered (info.coefficientBytes) */
  FLAG_INTERLACED = 4,  /* PNG Adam7 or an interlaced GIF */
  FLAG_ANIMATED = 8,    /* only the first frame is decoded */
  FLAG_LOSSLESS = 16,   /* WebP VP8L */
  FLAG_ALPHA = 32,      /* the file has transparency, which is dropped */
  FLAG_DC_ONLY = 64,    /* JPEG: `start` chose the decoder that reads only DC coefficients */
};

/* info.unsupported: the unsupported kind of file, with ERROR_UNSUPPORTED. */
enum Unsupported {
  UNSUPPORTED_OTHER = 0,            /* a kind without a name here */
  UNSUPPORTED_TWELVE_BIT = 1,       /* JPEG of 12 or 16 bits a channel */
  UNSUPPORTED_LOSSLESS_JPEG = 2,    /* JPEG process 14 */
  UNSUPPORTED_HIERARCHICAL = 3,     /* JPEG of several frames */
  UNSUPPORTED_COMPONENTS = 4,       /* JPEG of 2 components or more than 4 */
  UNSUPPORTED_CGBI = 5,             /* PNG as Apple's tools rewrite it for iOS: BGRA, without a zlib header */
  UNSUPPORTED_BIG_TIFF = 6,         /* TIFF with offsets of 8 bytes */
  UNSUPPORTED_TIFF_TILES = 7,       /* TIFF in tiles */
  UNSUPPORTED_TIFF_COMPRESSION = 8, /* TIFF with a compression other than none, PackBits, LZW and Deflate */
  UNSUPPORTED_TIFF_COLORS = 9,      /* TIFF with bits other than 8 or 16, or colours other than grey and RGB */
};

/* Bits of the argument `order` of `start`: how the stored rows are oriented in the picture, as far as that affects
 * the result. The output stays as stored. */
enum ResizeOrder {
  RESIZE_MIRROR_COLUMNS = 1, /* columns are stored in the reverse of the order in which they are displayed */
  RESIZE_MIRROR_ROWS = 2,    /* rows are */
  RESIZE_ROWS_FIRST = 4,     /* Pillow's first pass runs along the stored columns, which are the rows of the picture */
};

/* Information about the image. */
struct Info {
  int32_t format;           /* enum Format */
  int32_t width;            /* of the whole image in the file, before orientation */
  int32_t height;
  int32_t orientation;      /* EXIF 1..8; 1 if the file has none. WebP: known once all bytes are in */
  int32_t flags;            /* enum Flag */
  int32_t components;       /* channels in the file: 1 grey or palette, 2 grey and alpha, 3, 4 */
  int32_t bits;             /* per channel */
  int32_t coefficientBytes; /* JPEG with FLAG_BUFFERED: bytes that decoding takes unless it is DC only; otherwise 0 */
  int32_t scaledWidth;      /* after `start`: of the image that is cropped and resized */
  int32_t scaledHeight;
  int32_t rows;             /* wanted rows that came from the file so far */
  int32_t wantedRows;       /* rows of the crop */
  /* JPEG: damaged places that the decoder skipped, without those behind an early end of the input */
  int32_t warnings;
  int32_t parts;            /* scans (JPEG), chunks (PNG, WebP) or blocks (GIF) found so far */
  int32_t detail;           /* of the last error: libjpeg's message code, libwebp's status, or 0 */
  int32_t peakMemory;       /* most bytes of wasm memory in use at once, static data included */
  /* with TRUNCATED: millionths of the wanted rows, or of the bits of a buffered JPEG's coefficients, that never came */
  int32_t missing;
  int32_t unsupported;      /* enum Unsupported */
};

/* Resets the instance. Limits: bytes of memory in all, pixels, JPEG scans, PNG and WebP chunks or GIF blocks; 0 for
 * none. */
int32_t codecs_init(uint32_t memory, uint32_t pixels, uint32_t scans, uint32_t chunks);

/* Waits for an image of this format. */
int32_t codecs_open(int32_t format);

/* The address to which the next bytes of the file are written; 0 if the memory limit does not allow them. Valid
 * until the next call. */
uint8_t *codecs_reserve(uint32_t size);

/* Adds the first `size` of the reserved bytes to the input. */
int32_t codecs_commit(uint32_t size);

/* Declares the end of the input. */
int32_t codecs_end(void);

/* Eighths of a pixel, 0 to 7, that are cut off each side of the crop that is declared next, by `also` or `start`. */
int32_t codecs_inset(uint32_t left, uint32_t right, uint32_t top, uint32_t bottom);

/* Declares, before `start`, a further crop of the image, in the same pixels, that is resized to the same size;
 * MOST_CROPS in all. */
int32_t codecs_also(uint32_t x, uint32_t y, uint32_t width, uint32_t height, int32_t order);

/* Scale in eighths, crop in pixels of the scaled image as stored (all 0 for the whole image), size of the output as
 * stored, enum ResizeOrder. */
int32_t codecs_start(int32_t eighths, uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t outWidth,
                     uint32_t outHeight, int32_t order);

/* Decodes as much as the input allows, but no more than about `rows` rows; 0 for no limit. */
int32_t codecs_run(uint32_t rows);

/* The address of struct Info. */
const struct Info *codecs_info(void);

/* The address of [outHeight, outWidth, 3] uint8 RGB of crop 0, which is that of `start`, or of a further one; 0
 * before `start`. Valid until the next `init`. */
const uint8_t *codecs_output(uint32_t crop);

/* The layout that TypeScript writes and reads. */
_Static_assert(offsetof(struct Info, format) == 0, "struct Info: format");
_Static_assert(offsetof(struct Info, width) == 4, "struct Info: width");
_Static_assert(offsetof(struct Info, height) == 8, "struct Info: height");
_Static_assert(offsetof(struct Info, orientation) == 12, "struct Info: orientation");
_Static_assert(offsetof(struct Info, flags) == 16, "struct Info: flags");
_Static_assert(offsetof(struct Info, components) == 20, "struct Info: components");
_Static_assert(offsetof(struct Info, bits) == 24, "struct Info: bits");
_Static_assert(offsetof(struct Info, coefficientBytes) == 28, "struct Info: coefficientBytes");
_Static_assert(offsetof(struct Info, scaledWidth) == 32, "struct Info: scaledWidth");
_Static_assert(offsetof(struct Info, scaledHeight) == 36, "struct Info: scaledHeight");
_Static_assert(offsetof(struct Info, rows) == 40, "struct Info: rows");
_Static_assert(offsetof(struct Info, wantedRows) == 44, "struct Info: wantedRows");
_Static_assert(offsetof(struct Info, warnings) == 48, "struct Info: warnings");
_Static_assert(offsetof(struct Info, parts) == 52, "struct Info: parts");
_Static_assert(offsetof(struct Info, detail) == 56, "struct Info: detail");
_Static_assert(offsetof(struct Info, peakMemory) == 60, "struct Info: peakMemory");
_Static_assert(offsetof(struct Info, missing) == 64, "struct Info: missing");
_Static_assert(offsetof(struct Info, unsupported) == 68, "struct Info: unsupported");
_Static_assert(sizeof(struct Info) == 72, "struct Info");

#endif
