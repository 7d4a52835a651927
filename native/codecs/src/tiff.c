/*
 * TIFF: the first image, in strips, of 8 or 16 bits a channel, grey or RGB, with or without further channels;
 * uncompressed, PackBits, LZW or Deflate, with or without horizontal differences; both byte orders. As Pillow's
 * convert('RGB') sees them; 16 bits give their high byte.
 *
 * The directory may stand in front of the pixels or behind them. In front, strips that follow one another in the file are
 * decoded as they come; else the file is kept in the window up to the directory and the last of its lists.
 * Bounds: every read of the directory is checked against what is in the window, strips are counted by the height, and the
 * pixel count is checked before anything is allocated. A strip's data never make more than its rows. What is passed over
 * without making pixels, such as codes that clear a table, is counted against the budget.
 * Memory: 32 KB that Deflate reaches back to, 64 KB and three rows; 16 KB of LZW table; 8 bytes a strip.
 */
#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "inflate.h"
#include "input.h"
#include "resize.h"

enum { NONE = 1, LZW = 5, ADOBE_DEFLATE = 8, OLD_DEFLATE = 32946, PACKBITS = 32773 };
enum { WHITE_IS_ZERO = 0, BLACK_IS_ZERO = 1, RGB = 2 };
enum { SHORT = 3, LONG = 4 };
enum { BUFFER_BYTES = 64 * 1024, MOST_STRING = 4096, SLICE = 64 * 1024 };

static int big_endian;
static uint32_t width, height, bits, channels, photometric, compression, predictor, rows_per_strip, strips;
static uint32_t row_bytes;
static uint32_t *offsets, *counts; /* of the strips */
static int in_order;               /* each strip lies behind the one before */

static uint32_t strip, strip_row, next_row;
static uint32_t strip_at; /* offset in the file of what is next of the strip */
static uint32_t strip_end;
static int strip_open, strip_over;

static uint8_t *line;   /* a row whose differences were added up */
static uint8_t *buffer; /* what was made of the strip, from buffer_at on not taken yet */
static uint32_t buffer_size, buffer_at, buffer_filled;

/* ---- The directory ---- */

struct Field {
  uint32_t type, count, at; /* `at` is the offset of the values in the file */
};

static uint32_t read16(const uint8_t *p) { return big_endian ? (uint32_t)p[0] << 8 | p[1] : read_le16(p); }
static uint32_t read32(const uint8_t *p) { return big_endian ? read_be32(p) : read_le32(p); }

static void tiff_open(void) {
  offsets = counts = NULL;
  buffer = line = NULL;
  strip = strip_row = next_row = buffer_at = buffer_filled = 0;
  strip_open = strip_over = 0;
}

/* Value i of a field that lies in the window. */
static uint32_t value_of(const struct Field *field, uint32_t i) {
  const uint8_t *p = input.next + field->at;
  return field->type == SHORT ? read16(p + 2 * (size_t)i) : read32(p + 4 * (size_t)i);
}

/* Whether all values of a field lie in the window. Nothing of it was consumed. */
static int is_there(const struct Field *field) {
  uint64_t size = (uint64_t)field->count * (field->type == SHORT ? 2 : 4);
  return field->at + size <= input.available;
}

/* The first value, or one that stands for a field that the file does not have. */
static uint32_t first_of(const struct Field *field, uint32_t otherwise) {
  return field->count ? value_of(field, 0) : otherwise;
}

enum Tag {
  TAG_WIDTH = 256,
  TAG_HEIGHT = 257,
  TAG_BITS = 258,
  TAG_COMPRESSION = 259,
  TAG_PHOTOMETRIC = 262,
  TAG_FILL_ORDER = 266,
  TAG_OFFSETS = 273,
  TAG_ORIENTATION = 274,
  TAG_SAMPLES = 277,
  TAG_ROWS = 278,
  TAG_COUNTS = 279,
  TAG_PLANAR = 284,
  TAG_PREDICTOR = 317,
  TAG_TILE_WIDTH = 322,
  TAG_SAMPLE_FORMAT = 339
};
static const uint16_t tags[] = {TAG_WIDTH,      TAG_HEIGHT,  TAG_BITS,        TAG_COMPRESSION, TAG_PHOTOMETRIC,
                                TAG_FILL_ORDER, TAG_OFFSETS, TAG_ORIENTATION, TAG_SAMPLES,     TAG_ROWS,
                                TAG_COUNTS,     TAG_PLANAR,  TAG_PREDICTOR,   TAG_TILE_WIDTH,  TAG_SAMPLE_FORMAT};
enum { TAGS = sizeof tags / sizeof *tags };
static struct Field fields[TAGS];

static struct Field *field_of(uint32_t tag) {
  for (uint32_t i = 0; i < TAGS; i++) {
    if (tags[i] == tag) return &fields[i];
  }
  return NULL;
}

/* Finds the fields that matter. STATUS_DONE when their values lie in the window. */
static int read_directory(void) {
  enum { HEAD = 8, ENTRY = 12 };
  if (input.available < HEAD) return STATUS_NEED_INPUT;
  const uint8_t *file = input.next;
  big_endian = file[0] == 'M';
  if (memcmp(file, "II", 2) && memcmp(file, "MM", 2)) return ERROR_SIGNATURE;
  if (read16(file + 2) == 43) return unsupported(UNSUPPORTED_BIG_TIFF);
  if (read16(file + 2) != 42) return ERROR_SIGNATURE;
  uint32_t directory = read32(file + 4);
  if (directory < HEAD) return ERROR_BROKEN;
  if (directory >= input.available || input.available - directory < 2) return STATUS_NEED_INPUT;
  uint32_t entries = read16(file + directory);
  if (input.available - directory - 2 < entries * ENTRY) return STATUS_NEED_INPUT;
  memset(fields, 0, sizeof fields);
  for (uint32_t i = 0; i < entries; i++) {
    uint32_t at = directory + 2 + i * ENTRY;
    const uint8_t *entry = file + at;
    struct Field *field = field_of(read16(entry));
    uint32_t type = read16(entry + 2), count = read32(entry + 4);
    if (!field || (type != SHORT && type != LONG)) continue;
    int inside = (uint64_t)count * (type == SHORT ? 2 : 4) <= 4;
    *field = (struct Field){type, count, inside ? at + 8 : read32(entry + 8)};
  }
  for (uint32_t i = 0; i < TAGS; i++) {
    /* Of most a value or a few are read; lists of strips are checked against the height below. */
    if (fields[i].count > MOST_SIDE) return ERROR_BROKEN;
    if (fields[i].count && !is_there(&fields[i])) return STATUS_NEED_INPUT;
  }
  return STATUS_DONE;
}

/* Whether the file is of a kind that is decoded: STATUS_DONE. */
static int check_kind(void) {
  channels = first_of(field_of(TAG_SAMPLES), 1);
  const struct Field *depths = field_of(TAG_BITS);
  bits = first_of(depths, 1);
  photometric = first_of(field_of(TAG_PHOTOMETRIC), BLACK_IS_ZERO);
  compression = first_of(field_of(TAG_COMPRESSION), NONE);
  predictor = first_of(field_of(TAG_PREDICTOR), 1);
  if (field_of(TAG_TILE_WIDTH)->count) return unsupported(UNSUPPORTED_TIFF_TILES);
  if (compression == OLD_DEFLATE) compression = ADOBE_DEFLATE;
  if (compression != NONE && compression != LZW && compression != ADOBE_DEFLATE && compression != PACKBITS) {
    return unsupported(UNSUPPORTED_TIFF_COMPRESSION);
  }
  if (predictor > 2 || first_of(field_of(TAG_FILL_ORDER), 1) != 1) return unsupported(UNSUPPORTED_TIFF_COMPRESSION);
  if (compression != LZW && compression != ADOBE_DEFLATE) predictor = 1;
  uint32_t colors = photometric == RGB ? 3 : 1;
  int planar = channels > 1 && first_of(field_of(TAG_PLANAR), 1) != 1;
  int known = (bits == 8 || bits == 16) && photometric <= RGB && channels >= colors && channels <= 8 && !planar &&
              first_of(field_of(TAG_SAMPLE_FORMAT), 1) == 1;
  for (uint32_t i = 1; i < depths->count; i++) known = known && value_of(depths, i) == bits;
  return known ? STATUS_DONE : unsupported(UNSUPPORTED_TIFF_COLORS);
}

/* Copies the lists of strips. */
static int read_strips(void) {
  const struct Field *at = field_of(TAG_OFFSETS), *sizes = field_of(TAG_COUNTS);
  rows_per_strip = first_of(field_of(TAG_ROWS), height);
  if (!rows_per_strip) return ERROR_BROKEN;
  if (rows_per_strip > height) rows_per_strip = height;
  strips = (height + rows_per_strip - 1) / rows_per_strip;
  if (at->count < strips || (sizes->count && sizes->count < strips)) return ERROR_BROKEN;
  if (!sizes->count && (compression != NONE || strips > 1)) return ERROR_BROKEN;
  offsets = malloc(strips * sizeof *offsets);
  counts = malloc(strips * sizeof *counts);
  if (!offsets || !counts) return ERROR_MEMORY;
  in_order = 1;
  for (uint32_t i = 0; i < strips; i++) {
    offsets[i] = value_of(at, i);
    counts[i] = sizes->count ? value_of(sizes, i) : row_bytes * height;
    if (counts[i] > 0xffffffffu - offsets[i]) return ERROR_BROKEN;
    if (i && offsets[i] < offsets[i - 1]) in_order = 0;
  }
  return STATUS_DONE;
}

static int tiff_header(void) {
  int status = read_directory();
  if (status == STATUS_NEED_INPUT) return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
  if (status == STATUS_DONE) status = check_size(first_of(field_of(TAG_WIDTH), 0), first_of(field_of(TAG_HEIGHT), 0));
  if (status == STATUS_DONE) status = check_kind();
  if (status != STATUS_DONE) return status;
  width = (uint32_t)info.width;
  height = (uint32_t)info.height;
  row_bytes = width * channels * (bits / 8);
  status = read_strips();
  if (status != STATUS_DONE) return status;
  uint32_t orientation = first_of(field_of(TAG_ORIENTATION), 1);
  info.orientation = orientation >= 1 && orientation <= 8 ? (int32_t)orientation : 1;
  info.components = (int32_t)channels;
  info.bits = (int32_t)bits;
  if (channels > (photometric == RGB ? 3 : 1)) info.flags |= FLAG_ALPHA;
  return STATUS_HEADER;
}

/* ---- LZW: codes of 9 to 12 bits, the first bit highest, one wider a code before the table asks for it ---- */

enum { CLEAR = 256, END = 257, FIRST = 258, MOST_CODES = 4096, MOST_CODE_BITS = 12 };
struct Table {
  uint16_t before[MOST_CODES], length[MOST_CODES];
  uint8_t last[MOST_CODES], first[MOST_CODES];
};
static struct Table *table;
static uint32_t code_bits, next_code, previous, held, held_bits;

static void lzw_clear(void) {
  code_bits = 9;
  next_code = FIRST;
  previous = CLEAR;
}

static void lzw_start(void) {
  for (uint32_t i = 0; i < 256; i++) {
    table->length[i] = 1;
    table->last[i] = table->first[i] = (uint8_t)i;
  }
  held = held_bits = 0;
  lzw_clear();
}

/* Goes on with [*in, in_end) and writes behind *out, a string at a time. */
static enum InflateStatus lzw_run(const uint8_t **in, const uint8_t *in_end, uint8_t **out, const uint8_t *out_end) {
  while (out_end - *out >= MOST_STRING) {
    while (held_bits < code_bits) {
      if (*in == in_end) return INFLATE_INPUT;
      held = held << 8 | *(*in)++;
      held_bits += 8;
    }
    uint32_t code = held >> (held_bits - code_bits) & ((1u << code_bits) - 1);
    held_bits -= code_bits;
    if (code == CLEAR) {
      lzw_clear();
      continue;
    }
    if (code == END) return INFLATE_END;
    if (code > 255 && (previous == CLEAR || code > next_code || (code == next_code && next_code >= MOST_CODES))) {
      return INFLATE_BROKEN;
    }
    if (previous != CLEAR && next_code < MOST_CODES) {
      table->before[next_code] = (uint16_t)previous;
      table->length[next_code] = (uint16_t)(table->length[previous] + 1);
      table->first[next_code] = table->first[previous];
      table->last[next_code] = table->first[code == next_code ? previous : code];
      next_code++;
      if (next_code + 1 >= 1u << code_bits && code_bits < MOST_CODE_BITS) code_bits++;
    }
    previous = code;
    uint32_t length = table->length[code];
    uint8_t *to = *out + length;
    *out = to;
    for (uint32_t at = code; length--; at = table->before[at]) *--to = table->last[at];
  }
  return INFLATE_FULL;
}

/* ---- PackBits ---- */

static uint32_t literal_left, repeat_left;

static enum InflateStatus packbits_run(const uint8_t **in, const uint8_t *in_end, uint8_t **out,
                                       const uint8_t *out_end) {
  while (*in < in_end) {
    uint32_t room = (uint32_t)(out_end - *out), there = (uint32_t)(in_end - *in);
    if (room < 128) return INFLATE_FULL;
    if (literal_left) {
      uint32_t now = literal_left < there ? literal_left : there;
      memcpy(*out, *in, now);
      *in += now;
      *out += now;
      literal_left -= now;
    } else if (repeat_left) {
      memset(*out, **in, repeat_left);
      *in += 1;
      *out += repeat_left;
      repeat_left = 0;
    } else {
      uint32_t control = *(*in)++;
      if (control < 128) literal_left = control + 1;
      if (control > 128) repeat_left = 257 - control;
    }
  }
  return INFLATE_INPUT;
}

static enum InflateStatus copy_run(const uint8_t **in, const uint8_t *in_end, uint8_t **out, const uint8_t *out_end) {
  uint32_t room = (uint32_t)(out_end - *out), there = (uint32_t)(in_end - *in), now = room < there ? room : there;
  memcpy(*out, *in, now);
  *in += now;
  *out += now;
  return now < there ? INFLATE_FULL : INFLATE_INPUT;
}

/* ---- Rows ---- */

static int tiff_start(void) {
  uint64_t size = (uint64_t)INFLATE_WINDOW + BUFFER_BYTES + INFLATE_ROOM + 2 * (uint64_t)row_bytes;
  if (size > 0x7fffffff) return ERROR_MEMORY;
  buffer_size = (uint32_t)size;
  buffer = malloc(buffer_size + ROW_PADDING);
  line = malloc(row_bytes + ROW_PADDING);
  table = compression == LZW ? malloc(sizeof *table) : NULL;
  return buffer && line && (table || compression != LZW) ? STATUS_DONE : ERROR_MEMORY;
}

static void open_strip(void) {
  strip_open = 1;
  strip_over = 0;
  strip_row = 0;
  strip_at = offsets[strip];
  strip_end = strip_at + counts[strip];
  buffer_at = buffer_filled = literal_left = repeat_left = 0;
  if (compression == ADOBE_DEFLATE) inflate_start();
  if (compression == LZW) lzw_start();
}

/* Adds up what is stored as differences from the pixel to the left. */
static void undo_differences(uint8_t *row) {
  if (bits == 8) {
    for (uint32_t i = channels; i < row_bytes; i++) row[i] = (uint8_t)(row[i] + row[i - channels]);
    return;
  }
  uint32_t low = big_endian ? 1 : 0, high = 1 - low;
  for (uint32_t i = 2 * channels; i < row_bytes; i += 2) {
    const uint8_t *left = row + i - 2 * channels;
    uint32_t sum = ((uint32_t)row[i + high] << 8 | row[i + low]) + ((uint32_t)left[high] << 8 | left[low]);
    row[i + high] = (uint8_t)(sum >> 8);
    row[i + low] = (uint8_t)sum;
  }
}

static void convert_row(const uint8_t *from, uint8_t *to) {
  uint32_t bytes = bits / 8, step = channels * bytes;
  uint8_t flip = photometric == WHITE_IS_ZERO ? 255 : 0;
  if (bytes == 2 && !big_endian) from++; /* to the high byte */
  if (photometric == RGB) {
    for (uint32_t x = 0; x < width; x++, from += step, to += 3) {
      to[0] = from[0], to[1] = from[bytes], to[2] = from[2 * bytes];
    }
  } else {
    for (uint32_t x = 0; x < width; x++, from += step, to += 3) to[0] = to[1] = to[2] = *from ^ flip;
  }
}

static void take_row(void) {
  const uint8_t *row = buffer + buffer_at;
  if (predictor == 2) { /* in a copy: Deflate reaches back to the bytes as they were */
    memcpy(line, row, row_bytes);
    undo_differences(line);
    row = line;
  }
  if (resize_wants(next_row)) {
    uint8_t *to = resize_buffer();
    convert_row(row, to);
    resize_row(next_row, to);
  }
  buffer_at += row_bytes;
  next_row++;
  if (++strip_row == rows_per_strip) {
    strip++;
    strip_open = 0;
  }
}

/* Makes room behind what was made, and keeps what Deflate may reach back to. */
static void make_room(void) {
  uint32_t keep = compression == ADOBE_DEFLATE ? INFLATE_WINDOW : 0;
  uint32_t from = buffer_filled > keep ? buffer_filled - keep : 0;
  if (from > buffer_at) from = buffer_at;
  if (buffer_size - buffer_filled >= BUFFER_BYTES / 2 || !from) return;
  memmove(buffer, buffer + from, buffer_filled - from);
  buffer_at -= from;
  buffer_filled -= from;
}

/* Decodes some of the strip into the buffer. STATUS_DONE, or why that cannot be. `*spent` is what it cost, in bytes. */
static int decode_slice(uint32_t *spent) {
  if (strip_over) return ERROR_BROKEN; /* its data end before its rows */
  if (strip_at < input.position) return ERROR_BROKEN;
  if (in_order) input_consume(strip_at - input.position);
  uint32_t at = strip_at - input.position, size = strip_end - strip_at;
  if (!size) return ERROR_BROKEN;
  if (at >= input.available) {
    if (!input.ended) return STATUS_NEED_INPUT;
    return info.rows > 0 ? STATUS_TRUNCATED : ERROR_EMPTY;
  }
  if (size > input.available - at) size = input.available - at;
  if (size > SLICE) size = SLICE;
  make_room();
  const uint8_t *begin = input.next + at, *in = begin, *in_end = in + size;
  uint8_t *out = buffer + buffer_filled, *out_end = buffer + buffer_size;
  enum InflateStatus result = compression == ADOBE_DEFLATE ? inflate_run(&in, in_end, buffer, &out, out_end)
                              : compression == LZW         ? lzw_run(&in, in_end, &out, out_end)
                              : compression == PACKBITS    ? packbits_run(&in, in_end, &out, out_end)
                                                           : copy_run(&in, in_end, &out, out_end);
  uint32_t used = (uint32_t)(in - begin), made = (uint32_t)(out - buffer) - buffer_filled;
  strip_at += used;
  buffer_filled += made;
  *spent = used + made;
  strip_over = result == INFLATE_END || result == INFLATE_BROKEN || !*spent;
  return STATUS_DONE;
}

static int tiff_rows(int budget) {
  int64_t left = (int64_t)budget * row_bytes;
  while (next_row < resize_end()) {
    if (left <= 0) return STATUS_MORE;
    if (!strip_open) open_strip();
    uint32_t spent = row_bytes;
    if (buffer_filled - buffer_at >= row_bytes) {
      take_row();
    } else {
      int status = decode_slice(&spent);
      if (status != STATUS_DONE) return status;
    }
    left -= spent;
  }
  return STATUS_DONE;
}

const struct Decoder tiff_decoder = {tiff_open, tiff_header, scale_full_size, tiff_start, tiff_rows};
