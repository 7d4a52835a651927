/* Lossless WebP (VP8L) in a sliding window; see webp_lossless.c. */
#ifndef WEBP_LOSSLESS_H
#define WEBP_LOSSLESS_H

#include <stdint.h>

/* Forgets the image before. */
void lossless_reset(void);

/* Begins the VP8L chunk `data`, of an image of the given size. `row` is called for each row, top to bottom, with
 * 32-bit ARGB pixels. STATUS_DONE, STATUS_NEED_INPUT when the data end too soon, or an error. */
int lossless_start(const uint8_t *data, uint32_t size, uint32_t width, uint32_t height,
                   void (*row)(uint32_t y, const uint32_t *argb));

/* Reads on in what comes before the pixels, for about as long as `budget` pixels take: STATUS_DONE when all of it is
 * read; STATUS_MORE; STATUS_NEED_INPUT when the data end too soon; or an error. */
int lossless_header(int64_t budget);

/* After lossless_header has returned STATUS_DONE: decodes up to row `end`, give or take sixteen. Returns STATUS_DONE,
 * STATUS_NEED_INPUT when the data end too soon, or an error. */
int lossless_rows(uint32_t end);

#endif
