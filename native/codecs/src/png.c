/*
 * PNG through an inflate of our own (inflate.c): all colour types and depths, Adam7, as Pillow's convert('RGB') sees
 * them. Transparency and gamma are ignored, 16-bit channels give their high byte (of grey, too, which Pillow clips). Of
 * an APNG the default image is decoded.
 *
 * Chunks are parsed as the bytes come, and rows leave as soon as they are complete. IHDR, PLTE and eXIf are read whole
 * from the window, IDAT is inflated as it arrives, everything else is skipped.
 * Bounds: chunk lengths against 2^31, chunk count against the limit, pixel count before anything is allocated; CRCs of
 * IHDR, PLTE and IDAT are verified (of the last IDAT only as far as rows are still wanted), which makes zlib's Adler-32
 * superfluous. Inflate writes into a strip of known size, so a bomb costs time but no memory, and stops with the last
 * wanted row.
 * Memory: a strip of 32 KB that matches reach back to, 64 KB and two rows; two rows; for
 * Adam7 one RGB row. Adam7 takes 16 * outWidth bytes for each second row besides (resize.c), never the frame.
 */
#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "inflate.h"
#include "input.h"
#include "resize.h"
#include "simd.h"

enum { GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGBA = 6 };
enum { STRIP_BYTES = 64 * 1024, MOST_METADATA = 64 * 1024, VECTOR_PADDING = 16, MOST_PALETTE = 256 * 3 };

#define CHUNK(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* An Adam7 pass, or the whole image when it is not interlaced. */
struct Pass {
  uint32_t x, y, dx, dy;
  uint32_t width, height;
  uint32_t row_bytes; /* without the filter byte */
};

static enum { SIGNATURE, CHUNK_HEAD, CHUNK_WHOLE, CHUNK_SKIP, IDAT_DATA, CHUNK_CRC, ENDED } state;
static uint32_t chunk_type, chunk_left, chunk_crc;
static int seen_header, seen_palette, seen_data, verify;

static uint32_t depth, color, pixel_bits;
static uint32_t filter_bytes; /* the distance of the filters' left neighbour */
static uint32_t colors[256];  /* the palette: R, G, B, 0 in memory */

static struct Pass passes[7];
static uint32_t pass_count, pass, pass_row;

/* Inflated bytes, as they are filtered: up to strip_at those that matches reach back to, then whole rows and a part of
 * one. */
static uint8_t *strip;
static uint32_t strip_size, strip_at, strip_filled;
static int broken;        /* what follows in the deflate stream makes no sense */
static uint8_t *lines[2]; /* unfiltered rows */
static const uint8_t *up; /* the row above, of the same pass: one of the lines or an unfiltered row of the strip */
static uint8_t *rgb;      /* a row of a pass, Adam7 only */

/* ---- CRC-32 in strands, of which each takes 8 bytes of 32, so that they need not wait for each other. The tables are
 * made at the first use, since they would be 16 KB of binary. ---- */

enum { BRAIDS = 4, WORD = 8 };
static uint32_t crc_tables[WORD][256];   /* of byte 7 - t of a word: up to the word's end */
static uint32_t braid_tables[WORD][256]; /* up to the beginning of the strand's next word */

static void make_crc_tables(void) {
  if (crc_tables[0][1]) return;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    crc_tables[0][i] = crc;
  }
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = crc_tables[0][i];
    for (uint32_t t = 1; t < BRAIDS * WORD; t++) {
      crc = crc >> 8 ^ crc_tables[0][crc & 255];
      if (t < WORD) crc_tables[t][i] = crc;
      if (t >= (BRAIDS - 1) * WORD) braid_tables[t - (BRAIDS - 1) * WORD][i] = crc;
    }
  }
}

/* `crc` goes with the first four bytes. */
static inline __attribute__((always_inline)) uint32_t crc_of_word(const uint32_t tables[WORD][256], uint32_t crc,
                                                                  const uint8_t *p) {
  uint32_t a = crc ^ read_le32(p);
  return tables[7][a & 255] ^ tables[6][a >> 8 & 255] ^ tables[5][a >> 16 & 255] ^ tables[4][a >> 24] ^
         tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
}

static uint32_t update_crc(uint32_t crc, const uint8_t *p, uint32_t size) {
  if (size >= 2 * BRAIDS * WORD) {
    uint32_t strand[BRAIDS] = {crc};
    for (; size >= 2 * BRAIDS * WORD; p += BRAIDS * WORD, size -= BRAIDS * WORD) {
      for (int i = 0; i < BRAIDS; i++) strand[i] = crc_of_word(braid_tables, strand[i], p + WORD * i);
    }
    crc = 0;
    for (int i = 0; i < BRAIDS; i++, p += WORD, size -= WORD) crc = crc_of_word(crc_tables, crc ^ strand[i], p);
  }
  for (; size >= WORD; p += WORD, size -= WORD) crc = crc_of_word(crc_tables, crc, p);
  for (; size; p++, size--) crc = crc >> 8 ^ crc_tables[0][(crc ^ *p) & 255];
  return crc;
}

/* ---- Chunks ---- */

static uint32_t row_bytes(uint32_t width) { return (uint32_t)(((uint64_t)width * pixel_bits + 7) / 8); }

static int read_header(const uint8_t *p) {
  static const uint8_t channels[7] = {1, 0, 3, 1, 2, 0, 4};
  static const uint8_t depths[7] = {1 | 2 | 4 | 8 | 16, 0, 8 | 16, 1 | 2 | 4 | 8, 8 | 16, 0, 8 | 16};
  uint32_t width = read_be32(p), height = read_be32(p + 4);
  depth = p[8];
  color = p[9];
  uint32_t interlace = p[12];
  if (color > RGBA || !(depths[color] & depth) || (depth & (depth - 1)) || p[10] || p[11] || interlace > 1) {
    return ERROR_BROKEN;
  }
  int status = check_size(width, height);
  if (status != STATUS_DONE) return status;

  pixel_bits = channels[color] * depth;
  filter_bytes = pixel_bits < 8 ? 1 : pixel_bits / 8;
  info.components = channels[color];
  info.bits = (int32_t)depth;
  if (color == GREY_ALPHA || color == RGBA) info.flags |= FLAG_ALPHA;
  if (interlace) info.flags |= FLAG_INTERLACED;

  static const uint8_t adam7[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                      {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  static const uint8_t whole[4] = {0, 0, 1, 1};
  pass_count = 0;
  for (int i = 0; i < (interlace ? 7 : 1); i++) {
    const uint8_t *geometry = interlace ? adam7[i] : whole;
    struct Pass p = {.x = geometry[0], .y = geometry[1], .dx = geometry[2], .dy = geometry[3]};
    if (p.x >= width || p.y >= height) continue; /* an empty pass is not in the stream */
    p.width = (width - p.x + p.dx - 1) / p.dx;
    p.height = (height - p.y + p.dy - 1) / p.dy;
    p.row_bytes = row_bytes(p.width);
    passes[pass_count++] = p;
  }
  return STATUS_DONE;
}

/* International text: an XMP packet has a keyword of its own. Compressed ones are passed over. */
static void read_text(const uint8_t *p, uint32_t size) {
  static const char keyword[] = "XML:com.adobe.xmp"; /* and the zero behind it, then two bytes about compression */
  if (size > sizeof keyword + 2 && !memcmp(p, keyword, sizeof keyword) && !p[sizeof keyword]) {
    xmp_orientation(p + sizeof keyword + 2, size - sizeof keyword - 2);
  }
}

/* The whole chunk lies in the window. */
static int read_whole_chunk(const uint8_t *p, uint32_t size) {
  switch (chunk_type) {
    case CHUNK('I', 'H', 'D', 'R'):
      if (size != 13 || seen_header) return ERROR_BROKEN;
      seen_header = 1;
      return read_header(p);
    case CHUNK('P', 'L', 'T', 'E'): /* of a palette; in the other colour types it is a suggestion to displays */
      if (size % 3 || size > MOST_PALETTE || !size) return ERROR_BROKEN;
      for (uint32_t i = 0; i < size / 3; i++) colors[i] = read_le24(p + 3 * i);
      seen_palette = 1;
      return STATUS_DONE;
    case CHUNK('i', 'T', 'X', 't'):
      read_text(p, size);
      return STATUS_DONE;
    default: /* eXIf */
      exif_orientation(p, size);
      return STATUS_DONE;
  }
}

/* Decides what to do with the chunk whose head was read. */
static int enter_chunk(void) {
  verify = 0;
  if (!seen_header && chunk_type == CHUNK('C', 'g', 'B', 'I')) return unsupported(UNSUPPORTED_CGBI);
  if (!seen_header && chunk_type != CHUNK('I', 'H', 'D', 'R')) return ERROR_BROKEN;
  if (chunk_type == CHUNK('P', 'L', 'T', 'E') && color != PALETTE) {
    state = CHUNK_SKIP;
    return STATUS_DONE;
  }
  switch (chunk_type) {
    case CHUNK('I', 'H', 'D', 'R'):
    case CHUNK('P', 'L', 'T', 'E'):
      if (chunk_left > MOST_PALETTE || (chunk_type == CHUNK('P', 'L', 'T', 'E') && seen_data)) return ERROR_BROKEN;
      verify = 1;
      state = CHUNK_WHOLE;
      break;
    case CHUNK('i', 'T', 'X', 't'):
    case CHUNK('e', 'X', 'I', 'f'):
      state = chunk_left <= MOST_METADATA && !seen_data ? CHUNK_WHOLE : CHUNK_SKIP;
      break;
    case CHUNK('I', 'D', 'A', 'T'):
      if (color == PALETTE && !seen_palette) return ERROR_BROKEN;
      verify = 1;
      state = IDAT_DATA;
      break;
    case CHUNK('I', 'E', 'N', 'D'):
      state = ENDED;
      break;
    case CHUNK('a', 'c', 'T', 'L'):
      info.flags |= FLAG_ANIMATED;
      state = CHUNK_SKIP;
      break;
    case CHUNK('t', 'R', 'N', 'S'):
      info.flags |= FLAG_ALPHA;
      state = CHUNK_SKIP;
      break;
    default:
      state = CHUNK_SKIP;
  }
  return STATUS_DONE;
}

/* Walks chunks up to the next data of IDAT (STATUS_DONE, state IDAT_DATA) or the end (state ENDED). */
static int walk_chunks(void) {
  static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  enum { HEAD_BYTES = 8, CRC_BYTES = 4 };
  for (;;) {
    int status = STATUS_DONE;
    switch (state) {
      case SIGNATURE:
        if (input.available < sizeof signature) return STATUS_NEED_INPUT;
        if (memcmp(input.next, signature, sizeof signature)) return ERROR_SIGNATURE;
        input_consume(sizeof signature);
        state = CHUNK_HEAD;
        break;
      case CHUNK_HEAD:
        if (input.available < HEAD_BYTES) return STATUS_NEED_INPUT;
        chunk_left = read_be32(input.next);
        chunk_type = read_be32(input.next + 4);
        chunk_crc = update_crc(0xffffffffu, input.next + 4, 4);
        if (chunk_left > 0x7fffffffu) return ERROR_BROKEN;
        if ((uint32_t)++info.parts > limits.chunks) return ERROR_CHUNKS;
        input_consume(HEAD_BYTES);
        status = enter_chunk();
        if (status != STATUS_DONE) return status;
        break;
      case CHUNK_WHOLE: {
        if (input.available < chunk_left + CRC_BYTES) return STATUS_NEED_INPUT;
        const uint8_t *content = input.next;
        uint32_t size = chunk_left;
        /* Checked before it is believed: a size from a damaged IHDR would mislead whoever reads the answer. */
        chunk_crc = update_crc(chunk_crc, content, size);
        if (verify && ~chunk_crc != read_be32(content + size)) return ERROR_CHECKSUM;
        status = read_whole_chunk(content, size);
        if (status != STATUS_DONE) return status;
        input_consume(size + CRC_BYTES);
        state = CHUNK_HEAD;
        break;
      }
      case CHUNK_SKIP:
        input_skip(&chunk_left);
        if (chunk_left) return STATUS_NEED_INPUT;
        state = CHUNK_CRC;
        break;
      case IDAT_DATA:
        if (!seen_data || chunk_left) return STATUS_DONE;
        state = CHUNK_CRC;
        break;
      case CHUNK_CRC:
        if (input.available < CRC_BYTES) return STATUS_NEED_INPUT;
        if (verify && ~chunk_crc != read_be32(input.next)) return ERROR_CHECKSUM;
        input_consume(CRC_BYTES);
        state = CHUNK_HEAD;
        break;
      case ENDED:
        return STATUS_DONE;
    }
  }
}

/* ---- Rows ---- */

/*
 * Filters are undone from the strip into a line, since inflate looks back at the bytes as they were. Rows may be read
 * VECTOR_PADDING bytes past their end, and lines written.
 */

/* Loads the bytes of a pixel as 16-bit lanes. */
static inline __attribute__((always_inline)) v128_t load_pixel(const uint8_t *p, uint32_t bytes) {
  return wasm_u16x8_extend_low_u8x16(bytes > 4 ? wasm_v128_load64_zero(p) : wasm_v128_load32_zero(p));
}

/* Stores a pixel; what is written behind 3 (6) bytes is overwritten by the next one. */
static inline __attribute__((always_inline)) void store_pixel(uint8_t *p, v128_t lanes, uint32_t bytes) {
  v128_t packed = wasm_u8x16_narrow_i16x8(lanes, lanes);
  if (bytes > 4) {
    wasm_v128_store64_lane(p, packed, 0);
  } else {
    wasm_v128_store32_lane(p, packed, 0);
  }
}

/*
 * The filters Average and Paeth depend on the pixel to the left, so pixels follow one another and a vector holds the
 * channels of one; what counts is how many operations lie between a pixel and the next. Written for 3, 4, 6 and 8 bytes
 * a pixel. `bytes` is a constant at each call. Bytes are added in 16-bit lanes whose high bytes are zero.
 */
static inline __attribute__((always_inline)) void unfilter_average(uint8_t *to, const uint8_t *row,
                                                                   const uint8_t *above, uint32_t size,
                                                                   uint32_t bytes) {
  v128_t left = wasm_i16x8_const_splat(0);
  for (uint32_t i = 0; i < size; i += bytes) {
    v128_t b = load_pixel(above + i, bytes), x = load_pixel(row + i, bytes);
    left = wasm_i8x16_add(x, wasm_u16x8_shr(wasm_i16x8_add(left, b), 1));
    store_pixel(to + i, left, bytes);
  }
}

/*
 * Paeth's predictor without distances. Of left a, above b and upper left c, with t = 3 c - a - b, it is
 *   max(a, b) where t <= min(a, b), min(a, b) where t >= max(a, b), and else c.
 */
static inline __attribute__((always_inline)) void unfilter_paeth(uint8_t *to, const uint8_t *row, const uint8_t *above,
                                                                 uint32_t size, uint32_t bytes) {
  v128_t a = wasm_i16x8_const_splat(0), c = a;
  for (uint32_t i = 0; i < size; i += bytes) {
    v128_t b = load_pixel(above + i, bytes), x = load_pixel(row + i, bytes);
    v128_t t = wasm_i16x8_sub(wasm_i16x8_sub(wasm_i16x8_add(wasm_i16x8_shl(c, 1), c), b), a);
    v128_t low = wasm_i16x8_min(a, b), high = wasm_i16x8_max(a, b);
    v128_t not_high = wasm_i16x8_gt(t, low), not_low = wasm_i16x8_gt(high, t);
    /* One of the three is left, or the first two when they are the same. */
    v128_t from_high = wasm_v128_andnot(wasm_i8x16_add(x, high), not_high);
    v128_t from_low = wasm_v128_andnot(wasm_i8x16_add(x, low), not_low);
    v128_t from_c = wasm_v128_and(wasm_i8x16_add(x, c), wasm_v128_and(not_high, not_low));
    a = wasm_v128_or(wasm_v128_or(from_high, from_low), from_c);
    c = b;
    store_pixel(to + i, a, bytes);
  }
}

/* Sub is a running sum, made of four pixels at once by doubling the reach of the additions. `bytes` is 3 or 4. */
static inline __attribute__((always_inline)) void unfilter_sub(uint8_t *to, const uint8_t *row, uint32_t size,
                                                               uint32_t bytes) {
  enum { Z = -128 };
  v128_t one = bytes == 3 ? wasm_i8x16_const(Z, Z, Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, Z, Z, Z, Z)
                          : wasm_i8x16_const(Z, Z, Z, Z, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  v128_t two = bytes == 3 ? wasm_i8x16_const(Z, Z, Z, Z, Z, Z, 0, 1, 2, 3, 4, 5, Z, Z, Z, Z)
                          : wasm_i8x16_const(Z, Z, Z, Z, Z, Z, Z, Z, 0, 1, 2, 3, 4, 5, 6, 7);
  v128_t last = bytes == 3 ? wasm_i8x16_const(9, 10, 11, 9, 10, 11, 9, 10, 11, 9, 10, 11, Z, Z, Z, Z)
                           : wasm_i8x16_const(12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15);
  OPAQUE(one);
  OPAQUE(two);
  OPAQUE(last);
  v128_t left = wasm_i8x16_const_splat(0);
  for (uint32_t i = 0; i < size; i += 4 * bytes) {
    v128_t x = wasm_v128_load(row + i);
    x = wasm_i8x16_add(x, wasm_i8x16_swizzle(x, one));
    x = wasm_i8x16_add(wasm_i8x16_add(x, wasm_i8x16_swizzle(x, two)), left);
    left = wasm_i8x16_swizzle(x, last);
    wasm_v128_store(to + i, x);
  }
}

static void unfilter_up(uint8_t *to, const uint8_t *row, const uint8_t *above, uint32_t size) {
  for (uint32_t i = 0; i < size; i += 16) {
    wasm_v128_store(to + i, wasm_i8x16_add(wasm_v128_load(row + i), wasm_v128_load(above + i)));
  }
}

/* For any number of bytes a pixel; Paeth only for 1 and 2. */
static void unfilter_plain(uint8_t *to, const uint8_t *row, const uint8_t *above, uint32_t size, uint8_t filter,
                           uint32_t bytes) {
  for (uint32_t i = 0; i < size; i++) {
    int a = i >= bytes ? to[i - bytes] : 0, b = above[i], c = i >= bytes ? above[i - bytes] : 0;
    int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
    int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    to[i] = (uint8_t)(row[i] + (filter == 1 ? a : filter == 3 ? (a + b) >> 1 : paeth));
  }
}

/* The row of the strip unfiltered, in `to` or where it is; NULL when there is no such filter. */
static const uint8_t *unfilter(uint8_t *to, const uint8_t *row, const uint8_t *above, uint32_t size, uint8_t filter) {
  switch (filter << 4 | filter_bytes) {
    case 1 << 4 | 3:
      unfilter_sub(to, row, size, 3);
      break;
    case 1 << 4 | 4:
      unfilter_sub(to, row, size, 4);
      break;
    case 3 << 4 | 3:
      unfilter_average(to, row, above, size, 3);
      break;
    case 3 << 4 | 4:
      unfilter_average(to, row, above, size, 4);
      break;
    case 3 << 4 | 6:
      unfilter_average(to, row, above, size, 6);
      break;
    case 3 << 4 | 8:
      unfilter_average(to, row, above, size, 8);
      break;
    case 4 << 4 | 3:
      unfilter_paeth(to, row, above, size, 3);
      break;
    case 4 << 4 | 4:
      unfilter_paeth(to, row, above, size, 4);
      break;
    case 4 << 4 | 6:
      unfilter_paeth(to, row, above, size, 6);
      break;
    case 4 << 4 | 8:
      unfilter_paeth(to, row, above, size, 8);
      break;
    default:
      if (filter > 4) return NULL;
      if (filter == 0) return row;
      if (filter == 2) {
        unfilter_up(to, row, above, size);
      } else {
        unfilter_plain(to, row, above, size, filter, filter_bytes);
      }
  }
  return to;
}

static void put_grey(uint8_t *to, uint8_t value) { to[0] = to[1] = to[2] = value; }

/* The first bytes of pixels of four bytes, or grey ones three times. Reads and writes up to 16 bytes past the last. */
static void shuffle_row(const uint8_t *from, uint32_t count, uint32_t bytes, uint8_t *to) {
  enum { Z = -128 }; /* an index out of range gives zero, and the next pixels overwrite it */
  const v128_t rgbx = wasm_i8x16_const(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, Z, Z, Z, Z);
  const v128_t grey = wasm_i8x16_const(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, Z, Z, Z, Z);
  v128_t order = bytes == 4 ? rgbx : grey;
  OPAQUE(order);
  for (uint32_t i = 0; i < count; i += 4, from += 4 * bytes, to += 12) {
    wasm_v128_store(to, wasm_i8x16_swizzle(wasm_v128_load(from), order));
  }
}

/* `count` pixels of a row as RGB, in `to`; 8-bit RGB rows need no copy. */
static const uint8_t *to_rgb(const uint8_t *from, uint32_t count, uint8_t *to) {
  const uint8_t *begin = to;
  switch (color << 8 | depth) {
    case RGB << 8 | 8:
      return from;
    case RGB << 8 | 16:
      for (uint32_t i = 0; i < count * 3; i++) to[i] = from[2 * i];
      break;
    case RGBA << 8 | 8:
      shuffle_row(from, count, 4, to);
      break;
    case RGBA << 8 | 16:
      for (uint32_t i = 0; i < count; i++, to += 3, from += 8) to[0] = from[0], to[1] = from[2], to[2] = from[4];
      break;
    case GREY << 8 | 8:
      shuffle_row(from, count, 1, to);
      break;
    case PALETTE << 8 | 8:
      palette_row(colors, from, count, to);
      break;
    case GREY << 8 | 16: /* Pillow's convert('RGB') clips these at 255 and makes them white, which no one can want */
    case GREY_ALPHA << 8 | 8:
      for (uint32_t i = 0; i < count; i++, to += 3, from += 2) put_grey(to, from[0]);
      break;
    case GREY_ALPHA << 8 | 16:
      for (uint32_t i = 0; i < count; i++, to += 3, from += 4) put_grey(to, from[0]);
      break;
    default: { /* grey or a palette of 1, 2 or 4 bits */
      uint32_t most = (1u << depth) - 1, scale = 255 / most;
      for (uint32_t i = 0; i < count; i++, to += 3) {
        uint32_t bit = i * depth;
        uint32_t value = from[bit / 8] >> (8 - depth - bit % 8) & most;
        if (color == PALETTE) {
          memcpy(to, colors + value, 4); /* the fourth byte is overwritten */
        } else {
          put_grey(to, (uint8_t)(value * scale));
        }
      }
    }
  }
  return begin;
}

/* Gives a row of the current pass to the resizer. Passes 1 to 6 of Adam7 hold parts of even rows, pass 7 odd rows. */
static void emit_row(const uint8_t *row) {
  const struct Pass *p = &passes[pass];
  uint32_t y = p->y + pass_row * p->dy;
  if (!resize_wants(y)) return;
  if (p->dx == 1) { /* not interlaced, or pass 7 */
    resize_row(y, to_rgb(row, p->width, resize_buffer()));
  } else {
    resize_pixels(y, p->x, p->dx, p->width, to_rgb(row, p->width, rgb));
  }
}

/* Ends the even rows once the passes before the last are through. */
static void finish_even_rows(void) { resize_scattered_rows((uint32_t)info.height); }

/* Of a pass, or an image, the row above the first counts as black. */
static void begin_pass(void) {
  pass_row = 0;
  up = lines[0];
  if (pass < pass_count) memset(lines[0], 0, passes[pass].row_bytes);
}

/* Hands over eight rows of palette indices as they lie in the strip, if they are there and not filtered, which writers
 * do not do to palettes. How many were taken. */
static uint32_t take_eight(void) {
  enum { ROWS = 8 };
  if (color != PALETTE || depth != 8 || info.flags & FLAG_INTERLACED || passes[0].height - pass_row < ROWS) return 0;
  const uint8_t *row = strip + strip_at;
  uint32_t distance = passes[0].row_bytes + 1;
  if ((strip_filled - strip_at) / distance < ROWS) return 0;
  for (uint32_t i = 0; i < ROWS; i++) {
    if (row[(size_t)i * distance] != 0) return 0;
  }
  if (!resize_eight_rows(pass_row, 0, row + 1, distance, PIXELS_INDEX, colors)) return 0;
  up = row + (size_t)(ROWS - 1) * distance + 1;
  return ROWS;
}

/* Takes the whole rows out of the strip. STATUS_DONE when the image is complete, STATUS_MORE when the budget is used
 * up, STATUS_NEED_INPUT when the strip needs more bytes. */
static int take_rows(int *budget) {
  for (;;) {
    if (pass == pass_count || (pass_count == 1 && pass_row >= resize_end())) return STATUS_DONE;
    const struct Pass *p = &passes[pass];
    if (strip_filled - strip_at < p->row_bytes + 1) return STATUS_NEED_INPUT;
    if (*budget <= 0) return STATUS_MORE;
    uint32_t taken = take_eight();
    if (!taken) {
      const uint8_t *row = strip + strip_at;
      up = unfilter(lines[up == lines[0]], row + 1, up, p->row_bytes, row[0]);
      if (!up) return ERROR_BROKEN;
      emit_row(up);
      taken = 1;
    }
    *budget -= (int)taken;
    strip_at += taken * (p->row_bytes + 1);
    pass_row += taken;
    if (pass_row == p->height) {
      pass++;
      if (info.flags & FLAG_INTERLACED && (pass == pass_count || passes[pass].dx == 1) && p->dx != 1) {
        finish_even_rows();
      }
      begin_pass();
    }
  }
}

/* Makes room behind the strip's bytes when there is little: the rows that were taken go, but for what matches may reach
 * back to. */
static void make_room(void) {
  if (strip_size - strip_filled >= STRIP_BYTES / 2) return;
  uint32_t from = strip_filled > INFLATE_WINDOW ? strip_filled - INFLATE_WINDOW : 0;
  if (from > strip_at) from = strip_at;
  if (!from) return;
  if (up != lines[0] && up != lines[1] && pass < pass_count) {
    memcpy(lines[0], up, passes[pass].row_bytes);
    up = lines[0];
  }
  memmove(strip, strip + from, strip_filled - from);
  strip_at -= from;
  strip_filled -= from;
}

/* ---- The decoder ---- */

static void png_open(void) {
  make_crc_tables();
  state = SIGNATURE;
  seen_header = seen_palette = seen_data = 0;
  pass = pass_row = 0;
  strip_at = strip_filled = 0;
  broken = 0;
  strip = lines[0] = lines[1] = rgb = NULL;
  memset(colors, 0, sizeof colors);
}

static int out_of_input(int status) {
  if (status != STATUS_NEED_INPUT || !input.ended) return status;
  return info.rows > 0 ? STATUS_TRUNCATED : ERROR_EMPTY;
}

static int png_header(void) {
  int status = walk_chunks();
  if (status != STATUS_DONE) return out_of_input(status);
  return state == ENDED ? ERROR_EMPTY : STATUS_HEADER;
}

static int png_start(void) {
  uint32_t longest = row_bytes((uint32_t)info.width) + 1;
  uint64_t size = (uint64_t)INFLATE_WINDOW + STRIP_BYTES + INFLATE_ROOM + 2 * (uint64_t)longest;
  if (size > 0x7fffffff) return ERROR_MEMORY;
  strip_size = (uint32_t)size;
  strip = malloc(strip_size + VECTOR_PADDING);
  lines[0] = malloc(longest + VECTOR_PADDING);
  lines[1] = malloc(longest + VECTOR_PADDING);
  if (info.flags & FLAG_INTERLACED) rgb = malloc((size_t)info.width * 3 + ROW_PADDING);
  if (!strip || !lines[0] || !lines[1] || (info.flags & FLAG_INTERLACED && !rgb)) return ERROR_MEMORY;
  inflate_start();
  begin_pass();
  seen_data = 1;
  return info.flags & FLAG_INTERLACED ? resize_start_scattered() : STATUS_DONE;
}

/* At the end of a truncated Adam7 image: even rows count with the pixels that they have. */
static void salvage_even_rows(void) {
  if (!(info.flags & FLAG_INTERLACED) || pass == pass_count || passes[pass].dx == 1) return;
  if (pass > 0 || pass_row > 0) finish_even_rows();
}

static int png_rows(int budget) {
  for (;;) {
    int status = take_rows(&budget);
    if (status != STATUS_NEED_INPUT) return status;
    if (broken) return ERROR_BROKEN; /* but an image that was complete before */

    status = walk_chunks();
    if (status == STATUS_NEED_INPUT && !input.ended) return status;
    if (status < 0) return status;
    if (status == STATUS_DONE && state == IDAT_DATA) {
      uint32_t size = chunk_left < input.available ? chunk_left : input.available;
      if (!size && !input.ended) return STATUS_NEED_INPUT;
      if (size) {
        make_room();
        const uint8_t *in = input.next;
        uint8_t *out = strip + strip_filled;
        enum InflateStatus result = inflate_run(&in, in + size, strip, &out, strip + strip_size);
        uint32_t used = (uint32_t)(in - input.next), made = (uint32_t)(out - strip) - strip_filled;
        chunk_crc = update_crc(chunk_crc, input.next, used);
        chunk_left -= used;
        input_consume(used);
        strip_filled += made;
        broken = result == INFLATE_BROKEN;
        if (made || used) continue;
        if (result != INFLATE_END) return ERROR_BROKEN; /* inflate can go neither on nor back */
      }
    }
    /* The file, its IDAT chunks or the deflate stream ended before the last row. */
    salvage_even_rows();
    return info.rows > 0 ? STATUS_TRUNCATED : ERROR_EMPTY;
  }
}

const struct Decoder png_decoder = {png_open, png_header, scale_full_size, png_start, png_rows};
