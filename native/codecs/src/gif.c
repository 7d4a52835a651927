/*
 * GIF: the first frame, interlaced or not, on its canvas, as Pillow's convert('RGB') sees it: the transparent colour is
 * a colour like the others, and what the frame leaves uncovered has the transparent colour or else colour 0.
 *
 * Bounds: LZW codes against the table, which never exceeds 4096 entries; a string is written backwards from a length
 * kept with its code, so no chain is followed further than that; a frame that leaves its canvas enlarges it, as in
 * Pillow, and the result is checked against the pixel limit; blocks are counted; rows that the frame does not cover, and
 * those that one string fills, are handed out within the budget like the others.
 * Memory: 48 KB of tables, one row of indices, one of RGB.
 */
#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "input.h"
#include "resize.h"
#include "simd.h"

enum { MOST_CODES = 4096, MOST_CODE_BITS = 12, NO_CODE = MOST_CODES, CHUNK = 8 };

static enum { SCREEN, BLOCK, EXTENSION_BLOCKS, FRAME, CODE_SIZE, PIXELS } state;
static uint32_t skip_left;
static int control_block; /* the extension that is being read is a graphic control extension */

static uint8_t palette[256 * 3];
static int has_palette, has_transparent;
static uint8_t transparent;
static uint32_t screen_width, screen_height, canvas_width;
static uint32_t frame_x, frame_y, frame_width, frame_height;
static int interlaced;

/*
 * LZW. Most strings are a few pixels long, so that going along them pixel by pixel would be a mispredicted branch each.
 * So a code has the end of its string at once, 1 to CHUNK pixels, the first lowest: what goes before is the string of
 * another code, of a multiple of CHUNK pixels.
 */
struct Table {
  uint64_t ends[MOST_CODES];
  uint32_t
      strings[MOST_CODES]; /* from the lowest bit: 8 bits of the first pixel, 12 of the length, 12 of the other code */
};
enum { LENGTH = 8, BEFORE = 20 };
static struct Table *table;
static uint32_t start_bits;
static struct Lzw {
  uint32_t code_bits, next_code, previous;
  uint64_t bits; /* those at hand, and above them some that come in once more, the same */
  uint32_t bit_count, block_left;
} lzw;
static uint8_t *indices;       /* one row of the frame, and space for a string */
static uint32_t filled;        /* the number of indices in it */
static uint32_t uncovered_row; /* in the canvas: rows before it that the frame does not cover have been emitted */
static uint32_t frame_row;     /* rows that have been emitted, in stream order */
static uint8_t *margins;       /* a row that the frame does not cover */
static uint32_t colors[256];   /* the palette: R, G, B, 0 in memory */

static void gif_open(void) {
  state = SCREEN;
  skip_left = 0;
  has_palette = has_transparent = 0;
  transparent = 0;
  indices = margins = NULL;
  table = NULL;
  filled = frame_row = uncovered_row = 0;
  memset(palette, 0, sizeof palette);
}

/* Reads a colour table of `2 << size` entries at p. */
static void read_palette(const uint8_t *p, uint32_t size) {
  memset(palette, 0, sizeof palette);
  memcpy(palette, p, (2u << size) * 3);
  has_palette = 1;
}

static void grey_palette(void) {
  for (uint32_t i = 0; i < 256; i++) memset(palette + 3 * i, (int)i, 3);
}

/* The header up to the first frame's pixels. STATUS_HEADER, STATUS_NEED_INPUT or an error. */
static int read_blocks(void) {
  enum { SCREEN_BYTES = 13, FRAME_BYTES = 9 };
  for (;;) {
    input_skip(&skip_left);
    if (skip_left) return STATUS_NEED_INPUT;
    const uint8_t *p = input.next;
    switch (state) {
      case SCREEN: {
        if (input.available < SCREEN_BYTES) return STATUS_NEED_INPUT;
        if (memcmp(p, "GIF87a", 6) && memcmp(p, "GIF89a", 6)) return ERROR_SIGNATURE;
        uint32_t table = p[10] & 128 ? (2u << (p[10] & 7)) * 3 : 0;
        if (input.available < SCREEN_BYTES + table) return STATUS_NEED_INPUT;
        screen_width = read_le16(p + 6);
        screen_height = read_le16(p + 8);
        if (table) read_palette(p + SCREEN_BYTES, p[10] & 7);
        input_consume(SCREEN_BYTES + table);
        state = BLOCK;
        break;
      }
      case BLOCK:
        if (!input.available || (*p == '!' && input.available < 2)) return STATUS_NEED_INPUT;
        if ((uint32_t)++info.parts > limits.chunks) return ERROR_CHUNKS;
        if (*p == ',') {
          state = FRAME;
        } else if (*p == '!') {
          control_block = p[1] == 0xf9;
          input_consume(1);
          state = EXTENSION_BLOCKS;
        } else if (*p == ';') {
          return ERROR_EMPTY;
        } /* Any other block is skipped, as in Pillow. */
        input_consume(1);
        break;
      case EXTENSION_BLOCKS: {
        if (!input.available) return STATUS_NEED_INPUT;
        uint32_t size = p[0];
        if (control_block) {
          if (input.available < 1 + size) return STATUS_NEED_INPUT;
          has_transparent = size >= 4 && p[1] & 1;
          transparent = has_transparent ? p[4] : 0;
          if (has_transparent) info.flags |= FLAG_ALPHA;
          control_block = 0;
        }
        skip_left = 1 + size;
        if (!size) state = BLOCK;
        break;
      }
      case FRAME: {
        if (input.available < FRAME_BYTES) return STATUS_NEED_INPUT;
        uint32_t table = p[8] & 128 ? (2u << (p[8] & 7)) * 3 : 0;
        if (input.available < FRAME_BYTES + table) return STATUS_NEED_INPUT;
        frame_x = read_le16(p);
        frame_y = read_le16(p + 2);
        frame_width = read_le16(p + 4);
        frame_height = read_le16(p + 6);
        interlaced = p[8] >> 6 & 1;
        if (table) read_palette(p + FRAME_BYTES, p[8] & 7);
        if (!has_palette) grey_palette();
        input_consume(FRAME_BYTES + table);
        state = CODE_SIZE;
        break;
      }
      case CODE_SIZE:
        if (!input.available) return STATUS_NEED_INPUT;
        start_bits = p[0];
        /* More than 8 bits are useless, but such files exist; of a larger literal, the low byte counts. */
        if (start_bits >= MOST_CODE_BITS) return ERROR_BROKEN;
        input_consume(1);
        state = PIXELS;
        return STATUS_HEADER;
      default:
        return ERROR_USAGE;
    }
  }
}

static int gif_header(void) {
  int status = read_blocks();
  if (status == STATUS_NEED_INPUT && input.ended) return ERROR_EMPTY;
  if (status != STATUS_HEADER) return status;
  if (!frame_width || !frame_height) return ERROR_BROKEN;
  canvas_width = screen_width > frame_x + frame_width ? screen_width : frame_x + frame_width;
  uint32_t height = screen_height > frame_y + frame_height ? screen_height : frame_y + frame_height;
  status = check_size(canvas_width, height);
  if (status != STATUS_DONE) return status;
  info.components = 1;
  info.bits = 8;
  if (interlaced) info.flags |= FLAG_INTERLACED;
  return STATUS_HEADER;
}

static void clear_table(struct Lzw *z) {
  z->code_bits = start_bits + 1;
  z->next_code = (1u << start_bits) + 2;
  z->previous = NO_CODE;
}

static int gif_start(void) {
  indices = malloc(frame_width + MOST_CODES + CHUNK);
  margins = malloc((size_t)canvas_width * 3 + ROW_PADDING);
  table = malloc(sizeof *table);
  if (!indices || !margins || !table) return ERROR_MEMORY;
  for (uint32_t i = 0; i < 256; i++) colors[i] = read_le24(palette + 3 * i);
  for (uint32_t i = 0; i < 1u << start_bits; i++) {
    table->ends[i] = i & 255;
    table->strings[i] = 1u << LENGTH | (i & 255);
  }
  memset(&lzw, 0, sizeof lzw);
  clear_table(&lzw);

  /* The part that the frame does not cover: rows above and below it, and margins to its left and right. */
  for (uint32_t x = 0; x < canvas_width; x++) memcpy(margins + 3 * x, palette + 3 * transparent, 3);
  return STATUS_DONE;
}

/* Emits the rows above and below the frame. They are not counted in info.rows, since they are not in the file. */
static void emit_uncovered_rows(int *budget) {
  int32_t rows_before = info.rows;
  for (; uncovered_row < (uint32_t)info.height && *budget > 0; uncovered_row++) {
    int covered = uncovered_row >= frame_y && uncovered_row < frame_y + frame_height;
    if (covered || !resize_wants(uncovered_row)) continue;
    resize_row(uncovered_row, margins);
    --*budget;
  }
  info.rows = rows_before;
}

/* The row of the frame that is the n-th row of the stream. */
static uint32_t row_of(uint32_t n) {
  if (!interlaced) return n;
  uint32_t eighths = (frame_height + 7) / 8, other_eighths = (frame_height + 3) / 8, quarters = (frame_height + 1) / 4;
  if (n < eighths) return n * 8;
  n -= eighths;
  if (n < other_eighths) return n * 8 + 4;
  n -= other_eighths;
  if (n < quarters) return n * 4 + 2;
  return (n - quarters) * 2 + 1;
}

static void emit_row(const uint8_t *row) {
  uint32_t y = frame_y + row_of(frame_row++);
  if (!resize_wants(y)) return;
  uint8_t *to = resize_buffer();
  if (frame_width < canvas_width) memcpy(to, margins, (size_t)canvas_width * 3);
  uint8_t *end = to + ((size_t)frame_x + frame_width) * 3;
  uint64_t behind; /* palette_row writes there, too */
  memcpy(&behind, end, sizeof behind);
  palette_row(colors, row, frame_width, to + frame_x * 3);
  memcpy(end, &behind, sizeof behind);
  resize_row(y, to);
}

/* Whether all wanted rows are there. */
static int complete(void) {
  if (frame_row >= frame_height) return 1;
  return !interlaced && frame_y + frame_row >= resize_end();
}

/* Fetches bits for a code; STATUS_NEED_INPUT or, at the end of the data, STATUS_TRUNCATED when there are not enough. */
INLINE int fetch_bits(struct Lzw *z, const uint8_t **in, const uint8_t *in_end) {
  uint64_t next;
  if (z->block_left >= sizeof next && in_end - *in >= (int)sizeof next) { /* to 56 bits or more, whatever there were */
    memcpy(&next, *in, sizeof next);
    z->bits |= next << z->bit_count;
    uint32_t bytes = (63 - z->bit_count) / 8;
    *in += bytes;
    z->block_left -= bytes;
    z->bit_count |= 56;
  }
  while (z->bit_count < z->code_bits) {
    if (*in == in_end) return STATUS_NEED_INPUT;
    if (!z->block_left) {
      z->block_left = *(*in)++;
      if (!z->block_left) return STATUS_TRUNCATED;
      continue;
    }
    z->bits |= (uint64_t)*(*in)++ << z->bit_count;
    z->block_left--;
    z->bit_count += 8;
  }
  return STATUS_DONE;
}

/* Appends a string to the row at `to`. */
INLINE uint8_t *put_string(uint8_t *to, uint64_t end, uint32_t string) {
  uint32_t length = string >> LENGTH & (MOST_CODES - 1);
  uint8_t *at = to + (length - 1) / CHUNK * CHUNK;
  memcpy(at, &end, CHUNK);
  while (at > to) {
    uint32_t before = string >> BEFORE;
    at -= CHUNK;
    memcpy(at, &table->ends[before], CHUNK);
    string = table->strings[before];
  }
  return to + length;
}

/* Appends strings to the row until it is full (STATUS_DONE). STATUS_NEED_INPUT, STATUS_TRUNCATED at the end of the data,
 * or ERROR_BROKEN. */
static int decode_row(void) {
  const uint32_t clear = 1u << start_bits;
  const uint8_t *in = input.next, *in_end = in + input.available, *row_end = indices + frame_width;
  uint8_t *to = indices + filled;
  struct Lzw z = lzw;
  uint32_t start = z.previous == NO_CODE ? 0 : z.previous;
  uint64_t end = table->ends[start]; /* of the previous code */
  uint32_t string = table->strings[start];
  int status = STATUS_DONE;
  while (to < row_end) {
    status = fetch_bits(&z, &in, in_end);
    if (status != STATUS_DONE) break;
    uint32_t code = (uint32_t)z.bits & ((1u << z.code_bits) - 1);
    z.bits >>= z.code_bits;
    z.bit_count -= z.code_bits;
    if (code - clear < 2) {
      if (code != clear) {
        status = STATUS_TRUNCATED;
        break;
      }
      clear_table(&z);
      continue;
    }
    if (code > (z.previous == NO_CODE ? clear : z.next_code)) {
      status = ERROR_BROKEN;
      break;
    }
    if (z.previous != NO_CODE && z.next_code < MOST_CODES) {
      /* The next code is the previous string followed by the first pixel of this one, which may be that very code. */
      uint64_t pixel = (code == z.next_code ? string : table->strings[code]) & 255;
      uint32_t in_chunk = (string >> LENGTH) % CHUNK, whole = (string & ((1u << BEFORE) - 1)) | z.previous << BEFORE;
      table->ends[z.next_code] = in_chunk ? end | pixel << 8 * in_chunk : pixel;
      table->strings[z.next_code] = (in_chunk ? string : whole) + (1u << LENGTH);
      z.next_code++;
      if (z.next_code == 1u << z.code_bits && z.code_bits < MOST_CODE_BITS) z.code_bits++;
    }
    z.previous = code;
    end = table->ends[code];
    string = table->strings[code];
    to = put_string(to, end, string);
  }
  lzw = z;
  input_consume((uint32_t)(in - input.next));
  filled = (uint32_t)(to - indices);
  return status;
}

/* Emits the rows that are full: a string can fill thousands of rows of a narrow frame. */
static void emit_full_rows(int *budget) {
  uint32_t at = 0;
  for (; filled - at >= frame_width && !complete() && *budget > 0; at += frame_width, --*budget) emit_row(indices + at);
  filled -= at;
  if (at) memmove(indices, indices + at, filled);
}

static int gif_rows(int budget) {
  emit_uncovered_rows(&budget);
  while (!complete()) {
    if (budget <= 0) return STATUS_MORE;
    if (filled < frame_width) {
      int status = decode_row();
      if (status == STATUS_NEED_INPUT && !input.ended) return status;
      if (status == STATUS_NEED_INPUT || status == STATUS_TRUNCATED) return frame_row ? STATUS_TRUNCATED : ERROR_EMPTY;
      if (status != STATUS_DONE) return status;
    }
    emit_full_rows(&budget);
  }
  return uncovered_row < (uint32_t)info.height ? STATUS_MORE : STATUS_DONE;
}

const struct Decoder gif_decoder = {gif_open, gif_header, scale_full_size, gif_start, gif_rows};
