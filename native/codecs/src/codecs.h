/*
 * What the decoders share. What the module shares with its host, status codes, formats, flags and the info block, is in
 * layouts.h. How the calls follow one another is told in ../README.md and, for the C side, in codecs.c.
 */
#ifndef CODECS_H
#define CODECS_H

#include <stdint.h>

#include "layouts.h"

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
extern const struct Decoder jpeg_decoder, png_decoder, webp_decoder, gif_decoder, bmp_decoder, pnm_decoder,
    tiff_decoder;

/* The unit of info.missing. */
enum { WHOLE = 1000000 };

/* For formats that are only decoded at full size. */
int scale_full_size(int eighths);

/* Checks width and height against limits.pixels and MOST_SIDE: STATUS_DONE or an error. */
int check_size(uint32_t width, uint32_t height);

/* Ends the call at once with a negative status, for code that cannot return one (errors.c). */
_Noreturn void fail_with(int status, int detail);

/* Records the kind of a valid file that is not supported, and returns ERROR_UNSUPPORTED. */
int unsupported(enum Unsupported kind);

/* Orientation as metadata tell it, EXIF before XMP (orientation.c). Both set info.orientation.
 *   orientation_reset forgets the image before
 *   exif_orientation  takes a TIFF structure
 *   xmp_orientation   takes the text of an XMP packet */
void exif_orientation(const uint8_t *tiff, uint32_t size);
void xmp_orientation(const uint8_t *text, uint32_t size);
void orientation_reset(void);

#endif
