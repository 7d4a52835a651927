/*
 * Lossless WebP (VP8L) without the frame.
 *
 * libwebp keeps every pixel, 4 bytes each, because back references may reach anywhere. In fact the farthest distance
 * that the format can express is 2^20 pixels, so a window of that many, plus what is decoded in one go, is enough:
 * 6.3 MB however large the image is, where libwebp takes 96 MB at 24 MP.
 *
 * How: this file includes libwebp's vp8l_dec.c to reach its static functions, and calls DecodeImageData for a stretch
 * of rows at a time. That function addresses pixels by their index in the image; it is given the address where pixel 0
 * would lie if all of the image stood before the window. Between stretches the window is moved on.
 * Bounds: a distance is checked against the pixel index by libwebp and against 2^20 by the format's code tables
 * (asserted below), so no reference leaves the window; a copy may run up to 4096 pixels past the stretch, for which
 * there is SLACK.
 * Memory: the window, 16 rows for the inverse transforms, transforms and Huffman tables (usually under 1 MB).
 */
#include "src/dec/vp8l_dec.c"

#include "codecs.h"
#include "webp_lossless.h"

enum {
  HISTORY = 1 << 20,  /* 40 distance codes: the last is (3 << 18) + 18 bits + 1, less 120 for the short ones */
  STRETCH = 1 << 19,  /* pixels decoded between moves; each moves HISTORY pixels, so this costs 2 copied a pixel */
  SLACK = 4096 + 16   /* 24 length codes: the last is (3 << 10) + 10 bits + 1 */
};
_Static_assert(NUM_DISTANCE_CODES == 40 && NUM_LENGTH_CODES == 24, "the window is sized by these code tables");

static VP8LDecoder *decoder;
static VP8Io io;
static uint32_t *window;
static uint64_t window_pixels; /* without SLACK */
static uint64_t window_base;   /* index of the pixel at the start of the window */
static uint32_t next_row;      /* the first that has not been handed out */
static void (*row_callback)(uint32_t y, const uint32_t *argb);

void lossless_reset(void) {
  decoder = NULL;
  window = NULL;
  next_row = 0;
}

/* Where pixel 0 would be. An address only to be counted from, never read. */
static uint32_t *virtual_pixels(void) { return (uint32_t *)((uintptr_t)window - (uintptr_t)(window_base * 4)); }

/* libwebp's ProcessRowsFunc: rows before `end` are decoded but not yet transformed. */
static void hand_out_rows(VP8LDecoder *const dec, int end) {
  while (dec->last_row < end) {
    int count = end - dec->last_row < NUM_ARGB_CACHE_ROWS ? end - dec->last_row : NUM_ARGB_CACHE_ROWS;
    ApplyInverseTransforms(dec, dec->last_row, count, virtual_pixels() + (size_t)dec->width * dec->last_row);
    for (int i = 0; i < count; i++) row_callback(next_row++, dec->argb_cache + (size_t)i * io.width);
    dec->last_row += count;
  }
}

static int failure(void) {
  info.detail = decoder->status;
  switch (decoder->status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return ERROR_MEMORY;
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return STATUS_NEED_INPUT;
    default:
      return decoder->br.eos ? STATUS_NEED_INPUT : ERROR_BROKEN;
  }
}

int lossless_start(const uint8_t *data, uint32_t size, uint32_t width, uint32_t height,
                   void (*row)(uint32_t y, const uint32_t *argb)) {
  decoder = VP8LNew();
  if (!decoder) return ERROR_MEMORY;
  memset(&io, 0, sizeof io);
  io.data = data;
  io.data_size = size;
  row_callback = row;
  next_row = 0;
  window_base = 0;
  if (!VP8LDecodeHeader(decoder, &io)) return failure();
  if (io.width != (int)width || io.height != (int)height) return ERROR_BROKEN;

  /* With a small palette several pixels are packed into one, and decoder->width is less than the image's. */
  uint64_t pixels = (uint64_t)decoder->width * height;
  window_pixels = pixels < HISTORY + STRETCH ? pixels : HISTORY + STRETCH;
  window = WebPSafeMalloc(window_pixels + SLACK, sizeof *window);
  /* One row before argb_cache is the row above for the predictors. */
  uint32_t *cache = WebPSafeMalloc((uint64_t)width * (NUM_ARGB_CACHE_ROWS + 1), sizeof *cache);
  if (!window || !cache) return ERROR_MEMORY;
  decoder->argb_cache = cache + width;
  decoder->state = READ_DATA;
  return STATUS_DONE;
}

int lossless_rows(uint32_t end) {
  uint32_t height = (uint32_t)io.height, width = (uint32_t)decoder->width;
  if (end > height) end = height;
  while ((uint32_t)decoder->last_row < end) {
    /* Move the window on when the next row does not fit behind what is decoded. */
    uint64_t decoded = (uint64_t)decoder->last_pixel;
    uint64_t row_end = ((uint64_t)decoder->last_row + 1) * width;
    if (row_end > window_base + window_pixels) {
      uint64_t base = decoded > HISTORY ? decoded - HISTORY : 0;
      memmove(window, window + (base - window_base), (size_t)(decoded - base) * sizeof *window);
      window_base = base;
    }
    uint64_t fit = (window_base + window_pixels) / width;
    uint32_t stretch_end = fit < end ? (uint32_t)fit : end;
    if (!DecodeImageData(decoder, virtual_pixels(), (int)width, (int)height, (int)stretch_end, hand_out_rows)) {
      return failure();
    }
  }
  return STATUS_DONE;
}
