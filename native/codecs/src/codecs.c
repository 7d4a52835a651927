/*
 * The exports of codecs.wasm, in the order in which a host calls them:
 *
 *   init(limits)  once per image; forgets everything about the image before
 *   open(format)
 *   reserve, commit   chunks of the file, of any size; end() after the last
 *   run(0)        until STATUS_HEADER
 *   inset, also   for each further crop
 *   start(...)    scale, crop, output size
 *   run(rows)     until STATUS_DONE or STATUS_TRUNCATED
 *   output(crop)
 *
 * One image at a time lives in an instance. Every argument from the host is checked here or where it is used.
 */
#include "codecs.h"

#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "memory.h"
#include "resize.h"

#define EXPORT(name) __attribute__((export_name(#name), used))

struct Info info;
struct Limits limits;

static const struct Decoder *decoder;
static enum { CLOSED, READING_HEADER, WAITING_FOR_START, DECODING, OVER } phase;
static int final_status; /* returned again once OVER */

/* 0 for any limit means the largest value. Fails with ERROR_MEMORY when static data alone exceed `memory`. */
EXPORT(init) int codecs_init(uint32_t memory, uint32_t pixels, uint32_t scans, uint32_t chunks) {
  limits.memory = memory ? memory : 0xffff0000u;
  limits.pixels = pixels && pixels <= 0x7fffffffu ? pixels : 0x7fffffffu;
  limits.scans = scans ? scans : 0xffffffffu;
  limits.chunks = chunks ? chunks : 0xffffffffu;
  memory_reset(limits.memory);
  input_reset();
  resize_reset();
  memset(&info, 0, sizeof info);
  info.orientation = 1;
  orientation_reset();
  decoder = NULL;
  phase = CLOSED;
  return memory_peak() < limits.memory ? STATUS_DONE : ERROR_MEMORY;
}

EXPORT(open) int codecs_open(int format) {
  static const struct Decoder *const decoders[] = {
      [FORMAT_JPEG] = &jpeg_decoder, [FORMAT_PNG] = &png_decoder, [FORMAT_WEBP] = &webp_decoder,
      [FORMAT_GIF] = &gif_decoder,   [FORMAT_BMP] = &bmp_decoder, [FORMAT_PNM] = &pnm_decoder,
      [FORMAT_TIFF] = &tiff_decoder,
  };
  if (phase != CLOSED || !limits.memory || format < FORMAT_JPEG || format > FORMAT_TIFF) return ERROR_USAGE;
  decoder = decoders[format];
  info.format = format;
  phase = READING_HEADER;
  decoder->open();
  return STATUS_DONE;
}

/* The address where the host writes up to `size` bytes, or 0 when the memory limit does not allow them. The address
 * holds until the next call of any export. */
EXPORT(reserve) uint8_t *codecs_reserve(uint32_t size) { return decoder ? input_reserve(size) : NULL; }

EXPORT(commit) int codecs_commit(uint32_t size) { return decoder && input_commit(size) ? STATUS_DONE : ERROR_USAGE; }

EXPORT(end) int codecs_end(void) {
  if (!decoder) return ERROR_USAGE;
  input.ended = 1;
  return STATUS_DONE;
}

static int finish(int status) {
  if (status == STATUS_TRUNCATED && !info.missing && info.wantedRows > 0) {
    info.missing = (int32_t)((int64_t)(info.wantedRows - info.rows) * WHOLE / info.wantedRows);
  }
  phase = OVER;
  final_status = status;
  return status;
}

/* Eighths of a pixel, 0 to 7, that are cut off each side of the crop that is declared next, by `also` or `start`. */
EXPORT(inset) int codecs_inset(uint32_t left, uint32_t right, uint32_t top, uint32_t bottom) {
  if (phase != WAITING_FOR_START) return ERROR_USAGE;
  resize_inset(left, right, top, bottom);
  return STATUS_DONE;
}

/* A further crop of the image with which `start` begins, in the same pixels, resized to the same size. */
EXPORT(also) int codecs_also(uint32_t x, uint32_t y, uint32_t width, uint32_t height, int order) {
  return phase == WAITING_FOR_START && resize_also(x, y, width, height, order) ? STATUS_DONE : ERROR_USAGE;
}

/* `eighths` of the full size, 1 to 8; less than 8 for JPEG only. The crop is in pixels of the scaled image before
 * orientation; width and height 0 mean all of it. `order`: see enum ResizeOrder; 0 for an upright picture. */
EXPORT(start) int codecs_start(int eighths, uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint32_t outWidth,
                               uint32_t outHeight, int order) {
  if (phase != WAITING_FOR_START) return ERROR_USAGE;
  int status = decoder->scale(eighths);
  if (status != STATUS_DONE) return status; /* the host may try another scale */
  uint32_t scaled_width = (uint32_t)info.scaledWidth, scaled_height = (uint32_t)info.scaledHeight;
  if (!width && !height && !x && !y) {
    width = scaled_width;
    height = scaled_height;
  }
  status = resize_start(scaled_width, scaled_height, x, y, width, height, outWidth, outHeight, order);
  if (status == STATUS_DONE) {
    info.wantedRows = (int32_t)resize_rows();
    status = decoder->start();
  } else if (status == ERROR_USAGE) {
    return status;
  }
  if (status != STATUS_DONE) return finish(status);
  phase = DECODING;
  return STATUS_DONE;
}

/* Continues as far as the input allows, but by no more than about `rows` rows (0: without limit). */
EXPORT(run) int codecs_run(uint32_t rows) {
  int budget = rows && rows < 0x7fffffffu ? (int)rows : 0x7fffffff;
  int status;
  int reads = phase == READING_HEADER || phase == DECODING;
  if (reads && !input.ended && input.available < input.wanted) return STATUS_NEED_INPUT;
  switch (phase) {
    case READING_HEADER:
      status = decoder->header();
      if (status == STATUS_HEADER) phase = WAITING_FOR_START;
      break;
    case WAITING_FOR_START:
      return STATUS_HEADER;
    case DECODING:
      status = decoder->rows(budget);
      break;
    case OVER:
      return final_status;
    default:
      return ERROR_USAGE;
  }
  input.wanted = status == STATUS_NEED_INPUT ? 2 * input.available : 0;
  if (status == STATUS_DONE || status == STATUS_TRUNCATED || status < 0) return finish(status);
  return status;
}

EXPORT(info) const struct Info *codecs_info(void) {
  info.peakMemory = (int32_t)memory_peak();
  return &info;
}

/* [outHeight, outWidth, 3] uint8 RGB of crop 0, which is that of `start`, or of a further one; 0 before `start`, and
 * for a crop that does not exist. Valid until the next `init`. */
EXPORT(output) const uint8_t *codecs_output(uint32_t crop) { return phase >= DECODING ? resize_output(crop) : NULL; }

int unsupported(enum Unsupported kind) {
  info.unsupported = kind;
  return ERROR_UNSUPPORTED;
}

int scale_full_size(int eighths) {
  if (eighths != 8) return ERROR_USAGE;
  info.scaledWidth = info.width;
  info.scaledHeight = info.height;
  return STATUS_DONE;
}

int check_size(uint32_t width, uint32_t height) {
  if (!width || !height || width > 0x7fffffffu || height > 0x7fffffffu) return ERROR_BROKEN;
  info.width = (int32_t)width; /* available also for an image that is refused */
  info.height = (int32_t)height;
  if ((uint64_t)width * height > limits.pixels) return ERROR_PIXELS;
  return width > MOST_SIDE || height > MOST_SIDE ? ERROR_SIDE : STATUS_DONE;
}
