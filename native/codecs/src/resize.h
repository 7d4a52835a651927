/* Pillow's bicubic resize, fed row by row; see resize.c. */
#ifndef RESIZE_H
#define RESIZE_H

#include <stdint.h>

#include "layouts.h"
#include "simd.h"

/* Row buffers handed to resize_row must be readable this far past their last pixel. */
enum { ROW_PADDING = 16 };

/* Forgets the buffers of the image before (memory_reset has taken them away). */
void resize_reset(void);

/* Sets up the resize of the crop (x, y, width, height) of an image of imageWidth by imageHeight pixels to outWidth by
 * outHeight. `order` is of ResizeOrder. STATUS_DONE, ERROR_USAGE when the crop leaves the image or a size is zero, or
 * ERROR_MEMORY. */
int resize_start(uint32_t imageWidth, uint32_t imageHeight, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                 uint32_t outWidth, uint32_t outHeight, int order);

/* Cuts parts off the outer columns and rows of the crop that is declared next, by resize_also or resize_start: eighths of a
 * pixel, 0 to 7, so that an edge may lie within a pixel of a picture that was decoded at a smaller scale. */
void resize_inset(uint32_t left, uint32_t right, uint32_t top, uint32_t bottom);

/* Declares a further crop, which resize_start sets up beside its own, to the same size; 0 where there are MOST_CROPS. */
int resize_also(uint32_t x, uint32_t y, uint32_t width, uint32_t height, int order);

/* Whether row y of the image is wanted: it lies in a crop, or between two. */
int resize_wants(uint32_t y);

/* The first row that is wanted, and the columns that are: from the first of any crop to the last. */
uint32_t resize_begin(void);
void resize_columns(uint32_t *begin, uint32_t *end);

/* One past the last row that is wanted: nothing below needs to be decoded. */
uint32_t resize_end(void);

/* How many rows are wanted. */
uint32_t resize_rows(void);

/* Takes row y of the image (its whole width, RGB). Rows may come in any order, each at most once. Rows that never come
 * count as black. */
void resize_row(uint32_t y, const uint8_t *rgb);

/* Where the next row may be written (whole width, ROW_PADDING bytes may be overwritten behind it), to be given to
 * resize_row without being copied. Of use until the next row is given. */
uint8_t *resize_buffer(void);

/* How a pixel lies in memory. */
enum Pixels { PIXELS_RGB, PIXELS_BGR, PIXELS_BGRX, PIXELS_INDEX };

/* Takes eight rows at once from where they lie, `distance` bytes apart and readable ROW_PADDING bytes past the last: row
 * y of the image and those below it, or those above it with `up`. 0, and nothing is done, where they must be given one by
 * one: some may not be wanted, or others wait. `colors` are those of PIXELS_INDEX, 256 of R, G, B, 0 in memory. */
int resize_eight_rows(uint32_t y, int up, const uint8_t *pixels, uint32_t distance, enum Pixels kind,
                      const uint32_t *colors);

/* The colours of four palette indices. A colour is R, G, B, 0 in memory. */
INLINE v128_t four_colors(const uint32_t *colors, const uint8_t *indices) {
  enum { ENTRIES = 255 * sizeof *colors };
  const uint8_t *table = (const uint8_t *)colors;
  uint32_t four;
  __builtin_memcpy(&four, indices, sizeof four);
  v128_t pixels = wasm_v128_load32_zero(table + (four << 2 & ENTRIES));
  pixels = wasm_v128_load32_lane(table + (four >> 6 & ENTRIES), pixels, 1);
  pixels = wasm_v128_load32_lane(table + (four >> 14 & ENTRIES), pixels, 2);
  return wasm_v128_load32_lane(table + (four >> 22 & ENTRIES), pixels, 3);
}

/* `count` palette indices as RGB, four at a time. Up to four bytes behind the last pixel are written, those
 * behind a step being overwritten by the next. */
static inline void palette_row(const uint32_t *colors, const uint8_t *indices, uint32_t count, uint8_t *to) {
  enum { Z = -128 };
  v128_t order = wasm_i8x16_const(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, Z, Z, Z, Z);
  OPAQUE(order);
  for (; count >= 4; count -= 4, indices += 4, to += 12) {
    wasm_v128_store(to, wasm_i8x16_swizzle(four_colors(colors, indices), order));
  }
  for (; count; count--, indices++, to += 3) __builtin_memcpy(to, colors + *indices, sizeof *colors);
}

/* For Adam7, where a row comes as several sets of pixels: adds `count` pixels of row y, the first at x, the others
 * `step` apart. Only for even rows, after resize_start_scattered; resize_scattered_rows ends those above `height`. */
int resize_start_scattered(void);
void resize_pixels(uint32_t y, uint32_t x, uint32_t step, uint32_t count, const uint8_t *rgb);
void resize_scattered_rows(uint32_t height);

/* The output of a crop, [outHeight, outWidth, 3] uint8, of the rows so far; crop 0 is that of resize_start, the others
 * follow in the order of resize_also. More rows may follow, and a later call sees them. NULL where there is no such crop. */
const uint8_t *resize_output(uint32_t crop);

#endif
