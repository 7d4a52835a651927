/*
 * BMP: 1, 2, 4, 8, 16, 24 and 32 bits, RLE4, RLE8, bit fields, bottom-up and top-down, headers of OS/2 and Windows
 * (12 to 124 bytes). Alpha is dropped, as Pillow drops it. Channels of other than 8 bits are scaled by 255 / most,
 * rounded down, as Pillow does for 5 and 6 bits.
 *
 * Bounds: header fields and palette are read from the window after checking that they are there; the pixel count is
 * checked before anything is allocated; RLE runs are clipped to the rows that are left.
 * Memory: one row of the file, one of indices; RGB is written into the resizer's rows.
 */
#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "input.h"
#include "resize.h"
#include "simd.h"

enum { RAW = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3, ALPHABITFIELDS = 6 };

static uint32_t width, height, depth, compression;
static int top_down;
static uint32_t colors[256]; /* R, G, B, 0 in memory */
static struct {
  uint32_t mask, shift, most;
} channels[3];
static uint32_t skip_left; /* bytes up to the pixels */
static uint32_t stride;    /* bytes of a row in the file */
static uint32_t next_row;  /* rows taken, in file order */
static uint8_t *indices;   /* RLE: the row in the making */
static uint32_t column;    /* RLE: pixels in it */
static uint32_t run_x;     /* RLE: the column to which runs are clipped; only line ends and deltas reset it */
static uint32_t literal_left, literal_bytes; /* RLE: remaining pixels and bytes (padding included) of an absolute run */
static uint32_t gap_rows, gap_columns;       /* RLE: remaining pixels and rows that a delta skips */
static int rle_ended;

static void bmp_open(void) {
  skip_left = next_row = column = run_x = literal_left = literal_bytes = gap_rows = gap_columns = 0;
  rle_ended = 0;
  indices = NULL;
  memset(colors, 0, sizeof colors);
  memset(channels, 0, sizeof channels);
}

static void set_channel(int c, uint32_t mask) {
  channels[c].mask = mask;
  channels[c].shift = mask ? (uint32_t)__builtin_ctz(mask) : 0;
  channels[c].most = mask ? mask >> channels[c].shift : 1;
}

static int read_header(void) {
  enum { FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40, LARGEST_HEADER = 124 };
  if (input.available < FILE_HEADER + 4) return STATUS_NEED_INPUT;
  const uint8_t *file = input.next;
  if (file[0] != 'B' || file[1] != 'M') return ERROR_SIGNATURE;
  uint32_t pixels_at = read_le32(file + 10);
  const uint8_t *header = file + FILE_HEADER;
  uint32_t header_size = read_le32(header);
  int core = header_size == CORE_HEADER;
  if (!core && (header_size < INFO_HEADER || header_size > LARGEST_HEADER)) return ERROR_UNSUPPORTED;
  if (input.available < FILE_HEADER + header_size) return STATUS_NEED_INPUT;

  uint32_t declared = 0;
  compression = RAW;
  top_down = 0;
  if (core) {
    width = read_le16(header + 4);
    height = read_le16(header + 6);
    depth = read_le16(header + 10);
  } else {
    width = read_le32(header + 4);
    height = read_le32(header + 8);
    depth = read_le16(header + 14);
    compression = read_le32(header + 16);
    declared = read_le32(header + 32);
    if (height >> 31) {
      top_down = 1;
      height = 0u - height;
    }
  }
  int status = check_size(width, height);
  if (status != STATUS_DONE) return status;

  static const uint32_t depths = 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16 | 1u << 24;
  if (depth != 32 && (depth > 24 || !(depths >> depth & 1))) return ERROR_UNSUPPORTED;
  int masked = compression == BITFIELDS || compression == ALPHABITFIELDS;
  if (masked ? depth < 16 : compression == RLE8 ? depth != 8 : compression == RLE4 ? depth != 4 : compression != RAW) {
    return ERROR_UNSUPPORTED;
  }

  /* Masks are part of the longer headers and follow the shorter one. */
  uint32_t after = FILE_HEADER + header_size;
  if (masked && header_size == INFO_HEADER) {
    uint32_t mask_bytes = compression == ALPHABITFIELDS ? 16 : 12;
    if (input.available < after + mask_bytes) return STATUS_NEED_INPUT;
    after += mask_bytes;
  }
  if (masked && header_size > INFO_HEADER && header_size < INFO_HEADER + 12) return ERROR_BROKEN;
  static const uint32_t five_bits[3] = {0x7c00, 0x3e0, 0x1f}, eight_bits[3] = {0xff0000, 0xff00, 0xff};
  int any_mask = 0;
  for (int c = 0; c < 3; c++) {
    uint32_t mask = masked ? read_le32(header + INFO_HEADER + 4 * c) : 0;
    any_mask |= mask != 0;
    set_channel(c, mask);
  }
  for (int c = 0; c < 3 && !any_mask; c++) set_channel(c, depth == 16 ? five_bits[c] : eight_bits[c]);

  uint32_t most_colors = depth <= 8 ? 1u << depth : 0;
  uint32_t entry = core ? 3 : 4;
  uint32_t listed = declared && depth <= 8 ? declared : most_colors;
  if (listed > 65536) return ERROR_BROKEN;
  uint32_t used = listed < most_colors ? listed : most_colors;
  if (input.available < after + used * entry && !input.ended) return STATUS_NEED_INPUT;
  for (uint32_t i = 0; i < used && after + (i + 1) * entry <= input.available; i++) {
    const uint8_t *bgr = file + after + i * entry;
    colors[i] = bgr[2] | (uint32_t)bgr[1] << 8 | (uint32_t)bgr[0] << 16;
  }
  /* Some writers omit the offset, or state that of the palette (Pillow corrects both in the same way). */
  if (!pixels_at || (most_colors && pixels_at == FILE_HEADER + header_size)) pixels_at = after + listed * entry;
  skip_left = pixels_at;
  stride = (uint32_t)(((uint64_t)width * depth + 31) / 32 * 4);
  info.components = depth <= 8 ? 1 : 3;
  info.bits = (int32_t)(depth <= 8 ? depth : depth == 16 ? 5 : 8);
  return STATUS_HEADER;
}

static int bmp_header(void) {
  int status = read_header();
  return status == STATUS_NEED_INPUT && input.ended ? ERROR_EMPTY : status;
}

static int bmp_start(void) {
  indices = calloc(1, width);
  return indices ? STATUS_DONE : ERROR_MEMORY;
}

static uint32_t row_of(uint32_t n) { return top_down ? n : height - 1 - n; }

/* Whether all wanted rows are there. */
static int complete(void) {
  if (next_row >= height) return 1;
  return top_down ? next_row >= resize_end() : !resize_wants(row_of(next_row)) && row_of(next_row) < resize_end();
}

/* Converts pixels of BGR or BGRX to RGB, five or four at a time. Reads and writes less than 16 bytes past the last
 * pixel. */
static void swap_row(const uint8_t *from, uint8_t *to) {
  enum { Z = -128 }; /* an index out of range gives 0, and the next pixels overwrite it */
  v128_t bgr = wasm_i8x16_const(2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, Z);
  v128_t bgrx = wasm_i8x16_const(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, Z, Z, Z, Z);
  OPAQUE(bgr);
  OPAQUE(bgrx);
  if (depth == 24) {
    for (uint32_t x = 0; x < width; x += 5, from += 15, to += 15) {
      wasm_v128_store(to, wasm_i8x16_swizzle(wasm_v128_load(from), bgr));
    }
  } else {
    for (uint32_t x = 0; x < width; x += 4, from += 16, to += 12) {
      wasm_v128_store(to, wasm_i8x16_swizzle(wasm_v128_load(from), bgrx));
    }
  }
}

/* Whether pixels are BGR or BGRX. */
static int is_plain(void) {
  return depth >= 24 && channels[0].mask == 0xff0000 && channels[1].mask == 0xff00 && channels[2].mask == 0xff;
}

/* One row of the file's pixels as RGB. */
static void convert_row(const uint8_t *from, uint8_t *to) {
  if (depth == 8) {
    palette_row(colors, from, width, to);
  } else if (depth < 8) {
    uint32_t most = (1u << depth) - 1;
    for (uint32_t x = 0; x < width; x++, to += 3) {
      uint32_t bit = x * depth;
      memcpy(to, colors + (from[bit / 8] >> (8 - depth - bit % 8) & most),
             4); /* the next pixel overwrites the fourth byte */
    }
  } else if (is_plain()) {
    swap_row(from, to);
  } else {
    uint32_t step = depth / 8;
    for (uint32_t x = 0; x < width; x++, from += step, to += 3) {
      uint32_t pixel = step == 2 ? read_le16(from) : step == 3 ? read_le24(from) : read_le32(from);
      for (int c = 0; c < 3; c++) {
        uint32_t value = (pixel & channels[c].mask) >> channels[c].shift;
        to[c] = (uint8_t)((uint64_t)value * 255 / channels[c].most);
      }
    }
  }
}

/* Passes eight rows to the resizer unchanged, if they are there. Returns their number, or -1 if more input should be
 * awaited. */
static int take_eight(void) {
  enum { ROWS = 8, MOST_WAITING = 48 * 1024 }; /* bytes, which the next chunk has moved */
  if (!is_plain() || height - next_row < ROWS) return 0;
  uint64_t needed = (uint64_t)ROWS * stride;
  if (input.available < needed) return needed <= MOST_WAITING && !input.ended ? -1 : 0;
  enum Pixels kind = depth == 24 ? PIXELS_BGR : PIXELS_BGRX;
  if (!resize_eight_rows(row_of(next_row), !top_down, input.next, stride, kind, NULL)) return 0;
  input_consume((uint32_t)needed);
  next_row += ROWS;
  return ROWS;
}

static int raw_rows(int budget) {
  while (!complete()) {
    if (budget <= 0) return STATUS_MORE;
    int taken = take_eight();
    if (taken < 0) return STATUS_NEED_INPUT;
    budget -= taken ? taken : 1;
    if (taken) continue;
    /* The last row may lack its padding. */
    uint32_t needed = (uint32_t)(((uint64_t)width * depth + 7) / 8);
    uint32_t wanted = next_row + 1 < height ? stride : needed;
    if (input.available < wanted && !(input.ended && input.available >= needed)) return STATUS_NEED_INPUT;
    uint32_t y = row_of(next_row);
    if (resize_wants(y)) {
      uint8_t *to = resize_buffer();
      convert_row(input.next, to);
      resize_row(y, to);
    }
    input_consume(stride);
    next_row++;
  }
  return STATUS_DONE;
}

/* Adds `count` pixels to the rows, alternately of index a and b. */
static void put_indices(uint32_t count, uint8_t a, uint8_t b) {
  for (uint32_t i = 0; i < count && next_row < height; i++) {
    indices[column++] = i & 1 ? b : a;
    if (column < width) continue;
    column = 0;
    uint32_t y = row_of(next_row++);
    if (!resize_wants(y)) continue;
    uint8_t *to = resize_buffer();
    palette_row(colors, indices, width, to);
    resize_row(y, to);
  }
}

/* The end of a delta, whose rows come first. */
static void skip_columns(void) {
  put_indices(gap_columns, 0, 0);
  run_x = column;
}

/* Pixels continue from row to row, as in Pillow, so that an absolute run may cross the end of a row; other runs are
 * clipped to it. Pixels that a delta or an early end skips have colour 0. */
static int rle_rows(int budget) {
  int nibbles = compression == RLE4;
  uint32_t last_row = next_row;
  while (!complete()) {
    if (next_row != last_row) {
      budget -= (int)(next_row - last_row);
      last_row = next_row;
      if (budget <= 0) return STATUS_MORE;
    }
    if (rle_ended) {
      put_indices(width, 0, 0);
      continue;
    }
    if (gap_rows) {
      put_indices(width, 0, 0);
      if (--gap_rows == 0) skip_columns();
      continue;
    }
    const uint8_t *p = input.next;
    if (literal_bytes) {
      if (!input.available) return STATUS_NEED_INPUT;
      uint32_t pixels = nibbles ? 2 : 1;
      if (pixels > literal_left) pixels = literal_left; /* a padding byte has none */
      put_indices(pixels, nibbles ? p[0] >> 4 : p[0], p[0] & 15);
      literal_left -= pixels;
      literal_bytes--;
      input_consume(1);
      continue;
    }
    if (input.available < 2) return STATUS_NEED_INPUT;
    uint32_t count = p[0], value = p[1];
    if (count) {
      uint32_t room = width > run_x ? width - run_x : 0;
      if (count > room) count = room;
      put_indices(count, (uint8_t)(nibbles ? value >> 4 : value), (uint8_t)(nibbles ? value & 15 : value));
      run_x += count;
    } else if (value == 0) {
      if (column) put_indices(width - column, 0, 0);
      run_x = 0;
    } else if (value == 1) {
      rle_ended = 1;
    } else if (value == 2) {
      if (input.available < 4) return STATUS_NEED_INPUT;
      gap_rows = p[3];
      gap_columns = p[2];
      if (!gap_rows) skip_columns();
      input_consume(2);
    } else {
      literal_left = value;
      literal_bytes = nibbles ? (value + 1) / 2 : value;
      if ((input.position + 2 + literal_bytes) & 1) literal_bytes++; /* runs end at even offsets */
      run_x += value;
    }
    input_consume(2);
  }
  return STATUS_DONE;
}

static int bmp_rows(int budget) {
  input_skip(&skip_left);
  int status = skip_left                                    ? STATUS_NEED_INPUT
               : compression == RLE8 || compression == RLE4 ? rle_rows(budget)
                                                            : raw_rows(budget);
  if (status == STATUS_NEED_INPUT && input.ended) return next_row ? STATUS_TRUNCATED : ERROR_EMPTY;
  return status;
}

const struct Decoder bmp_decoder = {bmp_open, bmp_header, scale_full_size, bmp_start, bmp_rows};
