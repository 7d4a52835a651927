/*
 * The public face of codecs.wasm: status codes, formats, flags and the info block. The TypeScript loader mirrors the
 * numbers in this file, so they are only ever added to, never renumbered. How the calls follow one another is told in
 * ../README.md and, for the C side, in codecs.c.
 */
#ifndef CODECS_H
#define CODECS_H

#include <stdint.h>

/* What a call answers. Zero and above: all is well. Below zero: the image is refused, and the instance can be opened
 * anew for the next one, unless the status arrived through the `fail` import (see errors.c): then it is thrown away. */
enum Status {
  STATUS_NEED_INPUT = 0, /* feed more bytes, or say `end`, then run again */
  STATUS_HEADER = 1,     /* the header is known: read `info`, then call `start` */
  STATUS_MORE = 2,       /* the slice of rows asked for is done: run again when convenient */
  STATUS_DONE = 3,       /* every wanted row is in the output */
  STATUS_TRUNCATED = 4,  /* the input ended early; info.rows rows are real, the rest is black (JPEG: grey or coarse) */

  ERROR_USAGE = -1,        /* calls out of order or an argument out of range: a mistake of the host */
  ERROR_MEMORY = -2,       /* the limit given to `init` does not suffice for this image */
  ERROR_SIGNATURE = -3,    /* the bytes are not of the format that was opened */
  ERROR_UNSUPPORTED = -4,  /* a valid file of a kind that is not decoded, such as 12-bit or lossless JPEG */
  ERROR_BROKEN = -5,       /* the file contradicts its format */
  ERROR_EMPTY = -6,        /* the input ended before the first row */
  ERROR_PIXELS = -7,       /* more pixels than `init` allows */
  ERROR_SCANS = -8,        /* more JPEG scans than `init` allows (a scan bomb) */
  ERROR_CHUNKS = -9,       /* more PNG, WebP or GIF chunks than `init` allows */
  ERROR_COEFFICIENTS = -10, /* the JPEG must be buffered whole at this scale and that exceeds the memory limit */
  ERROR_CHECKSUM = -11,    /* a critical PNG chunk fails its CRC */
  ERROR_WORK = -12,        /* JPEG scans would cost far more time than the size of the file accounts for */
  ERROR_SIDE = -13         /* a side of more than MOST_SIDE pixels */
};

/* Pixels. Each row and column has a cost of its own, whatever the other side: a PNG of 98 KB can have a million rows. */
enum { MOST_SIDE = 1 << 18 };

enum Format { FORMAT_JPEG = 1, FORMAT_PNG = 2, FORMAT_WEBP = 3, FORMAT_GIF = 4, FORMAT_BMP = 5 };

enum Flag {
  FLAG_PROGRESSIVE = 1, /* JPEG: spectral selection or successive approximation */
  FLAG_BUFFERED = 2,    /* JPEG: more than one scan, so coefficients are buffered (info.coefficientBytes) */
  FLAG_INTERLACED = 4,  /* PNG Adam7 or an interlaced GIF */
  FLAG_ANIMATED = 8,    /* only the first frame is decoded */
  FLAG_LOSSLESS = 16,   /* WebP VP8L */
  FLAG_ALPHA = 32,      /* there was transparency, and it was dropped */
  FLAG_DC_ONLY = 64     /* JPEG: `start` chose the decoder that reads DC coefficients alone */
};

/* Read by the host as an Int32Array of INFO_FIELDS values at the address that `info` answers. */
struct Info {
  int32_t format;
  int32_t width, height;         /* of the whole image in the file, before orientation */
  int32_t orientation;           /* EXIF 1..8; 1 when the file says nothing. WebP: known once all bytes are in */
  int32_t flags;                 /* enum Flag */
  int32_t components;            /* channels in the file: 1 grey or palette, 2 grey and alpha, 3, 4 */
  int32_t bits;                  /* per channel */
  int32_t coefficientBytes;      /* JPEG with FLAG_BUFFERED: what decoding takes unless it is DC only; else 0 */
  int32_t scaledWidth, scaledHeight; /* after `start`: the image that is cropped and resized */
  int32_t rows;                  /* wanted rows that came from the file so far */
  int32_t wantedRows;            /* rows of the crop */
  int32_t warnings;              /* JPEG: recoverable damage that was met */
  int32_t parts;                 /* scans (JPEG), chunks (PNG, WebP) or blocks (GIF) met so far */
  int32_t detail;                /* of the last error: libjpeg's message code, libwebp's status, or 0 */
  int32_t peakMemory;            /* bytes of wasm memory in use at the worst moment, static data included */
};
enum { INFO_FIELDS = sizeof(struct Info) / sizeof(int32_t) };

/* Limits given by the host through `init`. */
struct Limits {
  uint32_t memory; /* bytes of wasm memory in all, static data and stack included */
  uint32_t pixels; /* width times height in the file */
  uint32_t scans;  /* JPEG scans */
  uint32_t chunks; /* PNG and WebP chunks, GIF blocks */
};

extern struct Info info;
extern struct Limits limits;

/* A decoder, one per format. Each function may be called again after STATUS_NEED_INPUT and goes on where it stopped.
 *   header  reads up to the pixels: STATUS_NEED_INPUT, STATUS_HEADER or an error
 *   scale   before the resizer is set up: sets info.scaledWidth and info.scaledHeight for `eighths`/8
 *   start   after the resizer is set up: allocates; STATUS_DONE or an error
 *   rows    decodes about `budget` rows into the resizer: any status but STATUS_HEADER */
struct Decoder {
  void (*open)(void);
  int (*header)(void);
  int (*scale)(int eighths);
  int (*start)(void);
  int (*rows)(int budget);
};
extern const struct Decoder jpeg_decoder, png_decoder, webp_decoder, gif_decoder, bmp_decoder;

/* For formats that decode at full size only. */
int scale_full_size(int eighths);

/* Checks width and height against limits.pixels and MOST_SIDE: STATUS_DONE or an error. */
int check_size(uint32_t width, uint32_t height);

/* Ends the call at once with a negative status, for code that cannot return one (errors.c). */
_Noreturn void fail_with(int status, int detail);

/* EXIF orientation 1..8 of a TIFF structure, 1 when there is none or it is damaged (exif.c). */
int exif_orientation(const uint8_t *tiff, uint32_t size);

#endif
