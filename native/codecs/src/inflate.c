/*
 * Inflate (RFC 1950 and 1951) of our own, since most of PNG's time goes here. Photos as PNG are literals and matches of
 * four to six bytes by turns, so that a decoder spends its time on mispredicted branches. Three things are against
 * them: an entry of the table holds up to two literals, or a literal and the length that follows it; the bit buffer is
 * filled without a branch; and matches are copied by 16 bytes.
 *
 * There are two ways through a block. The fast one needs FAST_INPUT bytes of input and INFLATE_ROOM of output at hand
 * and tables, which are only built for blocks that are longer than LONG_BLOCK: so a stream of tiny blocks does
 * not cost more than its bytes deserve. The careful one takes a symbol at a time, bit by bit, from counts alone, and
 * stops at any bit where the input ends.
 * Bounds: codes that are over-subscribed or incomplete are refused (but for zlib's exception, a single code of one
 * bit), so a table has at most one subtable for two codes; a turn of the fast way takes at most 16 bytes and gives at
 * most 6 + 1 + 258; distances are checked against the output that is there. Adler-32 is not looked at, since PNG has
 * its CRC (png.c).
 * Memory: 40 KB of tables, static, so that their addresses are constants. The output is the window.
 */
#include "inflate.h"

#include <stddef.h>
#include <string.h>

#include "simd.h"

enum {
  MOST_BITS = 15, /* of a code */
  LITERALS = 288,
  DISTANCES = 32,
  LENGTH_CODES = 19,
  END_OF_BLOCK = 256,
  LITERAL_BITS = 11,
  DISTANCE_BITS = 9,
  LENGTH_CODE_BITS = 7, /* the tables' indices */
  LITERAL_TABLE = (1 << LITERAL_BITS) + LITERALS / 2 * (1 << (MOST_BITS - LITERAL_BITS)),
  DISTANCE_TABLE = (1 << DISTANCE_BITS) + DISTANCES / 2 * (1 << (MOST_BITS - DISTANCE_BITS)),
  FAST_INPUT = 16,
  LONG_BLOCK = 40 * 8, /* bits */
  CHUNK = 16,          /* of a copy */
  LEAST_LENGTH = 3,
  MOST_LENGTH = 258,
};

/*
 * An entry of a table, in 32 bits:
 *    0.. 4  bits to take, extra bits included
 *    6.. 7  how many literals there are
 *    8..11  bits of the codes alone, before the extra ones
 *   14..21  the first literal             \ or, of a distance or a subtable, 16 bits:
 *   22..29  the second, or a length - 3   / the distance without its extra bits, or where the subtable begins
 *   30      a subtable, the end of the block or an invalid code
 *   31      not just literals
 */
enum { TAKE = 31, LITERAL_COUNT = 6, CODE_BITS = 8, VALUE = 14, SECOND = 22 };
#define SPECIAL (1u << 30)
#define NOT_LITERAL (1u << 31)
#define INVALID (NOT_LITERAL | SPECIAL)
#define END_ENTRY (INVALID | 1u << VALUE)
#define SUBTABLE (INVALID | 1u << LITERAL_COUNT) /* its size in bits, in the place of the code's bits */

/* A canonical code: how many codes of each length, and the symbols in order. */
struct Code {
  uint16_t count[MOST_BITS + 1];
  uint16_t symbols[LITERALS];
};

struct Inflater {
  enum { ZLIB_HEADER, BLOCK_HEADER, STORED_SIZE, STORED, CODE_COUNTS, CODE_LENGTHS, LENGTHS, SYMBOLS, ENDED, BAD } mode;
  int last;        /* whether the block is the last one */
  uint64_t hold;   /* bits that were read and not yet consumed, the next one lowest */
  uint32_t bits;   /* their number, below 64 */
  uint32_t stored; /* remaining bytes of a stored block */
  uint32_t literal_count, distance_count, length_count, have; /* of a block's header */
  uint32_t before_tables; /* bits to be decoded until tables are built, or 1: now; 0: they are */
  uint8_t lengths[LITERALS + DISTANCES];
  const struct Code *literals, *distances;
  struct Code fixed[2], dynamic[2]; /* of literals and lengths, of distances; the fixed ones when they were wanted */
  uint8_t length_codes[1 << LENGTH_CODE_BITS]; /* symbol * 8 + bits */
  uint32_t single[1 << LITERAL_BITS];          /* entries of one symbol */
  uint32_t literal_table[LITERAL_TABLE];
  uint32_t distance_table[DISTANCE_TABLE];
};

static struct Inflater state, *const z = &state;

/* The fields behind `fixed` are set before they are used, and the fixed codes stay. */
void inflate_start(void) { memset(z, 0, offsetof(struct Inflater, fixed)); }

/* ---- Codes ---- */

/* Counts and sorts the codes. Returns 0 if the lengths do not form a code. */
static int make_code(struct Code *code, const uint8_t *lengths, uint32_t size) {
  uint16_t offset[MOST_BITS + 2] = {0};
  memset(code->count, 0, sizeof code->count);
  for (uint32_t i = 0; i < size; i++) code->count[lengths[i]]++;
  code->count[0] = 0;
  int left = 1;
  uint32_t most = 0;
  for (uint32_t length = 1; length <= MOST_BITS; length++) {
    left = 2 * left - code->count[length];
    if (left < 0) return 0;
    if (code->count[length]) most = length;
    offset[length + 1] = (uint16_t)(offset[length] + code->count[length]);
  }
  if (left > 0 && most > 1) return 0;
  for (uint32_t i = 0; i < size; i++) {
    if (lengths[i]) code->symbols[offset[lengths[i]]++] = (uint16_t)i;
  }
  return 1;
}

/* The base and the extra bits of the length symbols from 257 on, and of the distances. */
static const uint8_t length_base[29] = {0,  1,  2,  3,  4,  5,  6,  7,  8,   10,  12,  14,  16,  20, 24,
                                        28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 255};
static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                           33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                           1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

static uint32_t distance_extra(uint32_t symbol) { return symbol < 4 ? 0 : symbol / 2 - 1; }

static uint32_t literal_entry(uint32_t symbol, uint32_t bits) {
  if (symbol < END_OF_BLOCK) return symbol << VALUE | 1u << LITERAL_COUNT | bits << CODE_BITS | bits;
  if (symbol == END_OF_BLOCK) return END_ENTRY | bits;
  uint32_t i = symbol - END_OF_BLOCK - 1;
  if (i >= sizeof length_base) return INVALID;
  return NOT_LITERAL | (uint32_t)length_base[i] << SECOND | bits << CODE_BITS | (bits + length_extra[i]);
}

static uint32_t distance_entry(uint32_t symbol, uint32_t bits) {
  if (symbol >= sizeof distance_base / sizeof *distance_base) return INVALID;
  return (uint32_t)distance_base[symbol] << VALUE | bits << CODE_BITS | (bits + distance_extra(symbol));
}

/* Fills a table for codes of up to `index` bits, longer ones in subtables behind. 0 when `size` entries do not do,
 * which no code brings about. */
static int make_table(uint32_t *table, uint32_t size, uint32_t index, const struct Code *code,
                      uint32_t (*entry)(uint32_t symbol, uint32_t bits)) {
  uint32_t most = MOST_BITS;
  while (most > 1 && !code->count[most]) most--;
  uint32_t sub_bits = most > index ? most - index : 0, next = 1u << index;
  const uint16_t *symbol = code->symbols;
  uint32_t reversed = 0;                 /* the code, its first bit lowest */
  if (most == 1 && code->count[1] < 2) { /* a single code or none leaves entries open */
    for (uint32_t i = 0; i < next; i++) table[i] = INVALID;
  }
  for (uint32_t length = 1; length <= most; length++) {
    for (uint32_t n = code->count[length]; n > 0; n--) {
      uint32_t word = entry(*symbol++, length);
      if (length <= index) {
        for (uint32_t i = reversed; i < 1u << index; i += 1u << length) table[i] = word;
      } else {
        uint32_t *head = table + (reversed & ((1u << index) - 1));
        if (reversed >> index == 0) { /* the first code of its prefix: all others follow immediately */
          if (next + (1u << sub_bits) > size) return 0;
          *head = SUBTABLE | next << VALUE | sub_bits << CODE_BITS;
          next += 1u << sub_bits;
        }
        uint32_t *sub = table + (*head >> VALUE & 0xffff);
        for (uint32_t i = reversed >> index; i < 1u << sub_bits; i += 1u << (length - index)) sub[i] = word;
      }
      /* The next code: adds one at the last bit, from where the carry runs to the first. */
      uint32_t bit = 1u << (length - 1);
      while (reversed & bit) bit >>= 1;
      reversed = bit ? (reversed & (bit - 1)) | bit : 0;
    }
  }
  return 1;
}

/* Joins literals with the following symbol if both fit into the index. */
static void join_literals(void) {
  memcpy(z->literal_table, z->single, sizeof z->single);
  const uint16_t *symbol = z->literals->symbols;
  uint32_t reversed = 0, shortest = 1;
  while (!z->literals->count[shortest]) shortest++;
  for (uint32_t length = 1; length + shortest <= LITERAL_BITS; length++) {
    for (uint32_t n = z->literals->count[length]; n > 0; n--) {
      if (*symbol++ < END_OF_BLOCK) {
        uint32_t *to = z->literal_table + reversed, first = to[0], room = LITERAL_BITS - length;
        /* The following symbol brings its own bits and kind; a second literal is moved up. */
        uint32_t base = (first & 255u << VALUE) | length << CODE_BITS | length | 1u << LITERAL_COUNT;
        for (uint32_t i = 0; i < 1u << room; i++, to += 1u << length) {
          uint32_t second = z->single[i], lengths = second & NOT_LITERAL;
          int fits = (second >> CODE_BITS & 15) <= room && !(second & SPECIAL);
          uint32_t joined = base + (lengths ? second : (second & ~(255u << VALUE)) | (second >> VALUE & 255) << SECOND);
          *to = fits ? joined : first;
        }
      }
      uint32_t bit = 1u << (length - 1);
      while (reversed & bit) bit >>= 1;
      reversed = bit ? (reversed & (bit - 1)) | bit : 0;
    }
  }
}

static int make_tables(void) {
  z->before_tables = 0;
  if (!make_table(z->literal_table, LITERAL_TABLE, LITERAL_BITS, z->literals, literal_entry)) return 0;
  memcpy(z->single, z->literal_table, sizeof z->single);
  join_literals();
  return make_table(z->distance_table, DISTANCE_TABLE, DISTANCE_BITS, z->distances, distance_entry);
}

static int make_codes(struct Code codes[2], uint32_t literals, uint32_t distances) {
  return make_code(&codes[0], z->lengths, literals) && make_code(&codes[1], z->lengths + literals, distances);
}

static void begin_symbols(const struct Code codes[2]) {
  z->literals = &codes[0];
  z->distances = &codes[1];
  z->before_tables = LONG_BLOCK;
  z->mode = SYMBOLS;
}

static void begin_fixed(void) {
  if (!z->fixed[0].count[8]) {
    memset(z->lengths, 8, LITERALS);
    memset(z->lengths + 144, 9, 112);
    memset(z->lengths + 256, 7, 24);
    memset(z->lengths + LITERALS, 5, DISTANCES);
    make_codes(z->fixed, LITERALS, DISTANCES);
  }
  begin_symbols(z->fixed);
}

/* ---- Copies ---- */

/* Copies a match that lies in the output completely. A distance below 16 repeats itself within the chunk: lane i is
 * byte i % distance, and chunks advance by the largest multiple of the distance. May overwrite CHUNK bytes behind it. */
INLINE uint8_t *copy_match(uint8_t *out, uint32_t distance, uint32_t length) {
  uint8_t *end = out + length;
  if (distance >= CHUNK) {
    const uint8_t *from = out - distance;
    wasm_v128_store(out, wasm_v128_load(from));
    while (out + CHUNK < end) {
      out += CHUNK, from += CHUNK;
      wasm_v128_store(out, wasm_v128_load(from));
    }
    return end;
  }
  static const uint8_t remainder[CHUNK][CHUNK] = {
  /* clang-format off */
#define ROW(d) \
  {0, 1 % d, 2 % d, 3 % d, 4 % d, 5 % d, 6 % d, 7 % d, 8 % d, 9 % d, 10 % d, 11 % d, 12 % d, 13 % d, 14 % d, 15 % d}
      /* clang-format on */
      {0},    ROW(1), ROW(2),  ROW(3),  ROW(4),  ROW(5),  ROW(6),  ROW(7),
      ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15),
  };
  static const uint8_t advance[CHUNK] = {0, 16, 16, 15, 16, 15, 12, 14, 16, 9, 10, 11, 12, 13, 14, 15};
  v128_t pattern = wasm_i8x16_swizzle(wasm_v128_load(out - distance), wasm_v128_load(remainder[distance]));
  for (; out < end; out += advance[distance]) wasm_v128_store(out, pattern);
  return end;
}

/* ---- The fast way ---- */

/* The limits at which the fast path and the careful path switch to each other. */
struct Place {
  const uint8_t *in, *in_begin, *in_end;
  const uint8_t *begin; /* the part of the output that matches may refer to */
  uint8_t *out, *out_end;
};

/* Gives back whole bytes that were read but not taken, as far as they are of this chunk of input. */
static void give_back(struct Place *at) {
  uint32_t bytes = z->bits / 8, most = (uint32_t)(at->in - at->in_begin);
  if (bytes > most) bytes = most;
  at->in -= bytes;
  z->bits -= 8 * bytes;
  z->hold &= ((uint64_t)1 << z->bits) - 1;
}

/* The value behind a code's bits. */
INLINE uint32_t extra_bits(uint64_t hold, uint32_t entry) {
  uint32_t taken = (uint32_t)hold & ((1u << (entry & TAKE)) - 1);
  return taken >> (entry >> CODE_BITS & 15);
}

/* Decodes symbols as long as there are FAST_INPUT bytes and INFLATE_ROOM. 0 at an invalid code or distance. */
static int fast_symbols(struct Place *at) {
  const uint8_t *in = at->in, *in_last = at->in_end - FAST_INPUT;
  const uint8_t *begin = at->begin;
  uint8_t *out = at->out, *out_last = at->out_end - INFLATE_ROOM;
  const uint32_t *literals = z->literal_table, *distances = z->distance_table;
  uint64_t hold = z->hold;
  uint32_t bits = z->bits;
  int valid = 1;

/* To 56 bits or more; bits that are loaded beyond that are loaded again, the same, by the next load. */
#define FILL() \
  do { \
    uint64_t next; \
    memcpy(&next, in, sizeof next); \
    hold |= next << bits; \
    in += (63 - bits) >> 3; \
    bits |= 56; \
  } while (0)
#define DROP(entry) (hold >>= (entry) & 63, bits -= (entry) & TAKE)
#define PUT_LITERALS(entry) \
  do { \
    uint16_t both = (uint16_t)((entry) >> VALUE); \
    memcpy(out, &both, sizeof both); \
    out += (entry) >> LITERAL_COUNT & 3; \
  } while (0)
#define LOOK_UP() literals[hold & ((1u << LITERAL_BITS) - 1)]

  while (in <= in_last && out <= out_last) {
    FILL();
    uint32_t entry = LOOK_UP();
    if (!(entry & NOT_LITERAL)) { /* up to 11 bits each time, so that after three a length still has its 20 */
      DROP(entry);
      PUT_LITERALS(entry);
      entry = LOOK_UP();
      if (!(entry & NOT_LITERAL)) {
        DROP(entry);
        PUT_LITERALS(entry);
        entry = LOOK_UP();
        if (!(entry & NOT_LITERAL)) {
          DROP(entry);
          PUT_LITERALS(entry);
          continue;
        }
      }
      FILL();
    }
    if (entry & SPECIAL) {
      if ((entry & SUBTABLE) == SUBTABLE) {
        uint32_t index = (uint32_t)(hold >> LITERAL_BITS) & ((1u << (entry >> CODE_BITS & 15)) - 1);
        entry = literals[(entry >> VALUE & 0xffff) + index];
        if (!(entry & NOT_LITERAL)) {
          DROP(entry);
          PUT_LITERALS(entry);
          continue;
        }
      }
      if (entry & SPECIAL) {
        DROP(entry);
        valid = entry >> VALUE & 1;
        z->mode = z->last ? ENDED : BLOCK_HEADER;
        break;
      }
    }
    PUT_LITERALS(entry);
    uint32_t length = LEAST_LENGTH + (entry >> SECOND & 255) + extra_bits(hold, entry);
    DROP(entry);

    entry = distances[hold & ((1u << DISTANCE_BITS) - 1)];
    if (entry & SPECIAL) {
      if ((entry & SUBTABLE) == SUBTABLE) {
        uint32_t index = (uint32_t)(hold >> DISTANCE_BITS) & ((1u << (entry >> CODE_BITS & 15)) - 1);
        entry = distances[(entry >> VALUE & 0xffff) + index];
      }
      if (entry & SPECIAL) {
        valid = 0;
        break;
      }
    }
    uint32_t distance = (entry >> VALUE & 0xffff) + extra_bits(hold, entry);
    DROP(entry);
    if (distance > (uint32_t)(out - begin)) {
      valid = 0;
      break;
    }
    out = copy_match(out, distance, length);
  }

  z->hold = hold & (((uint64_t)1 << bits) - 1);
  z->bits = bits;
  at->in = in;
  at->out = out;
  give_back(at);
  return valid;
}

/* ---- The careful way ---- */

static void fill(struct Place *at) {
  while (z->bits < 56 && at->in < at->in_end) {
    z->hold |= (uint64_t)*at->in++ << z->bits;
    z->bits += 8;
  }
}

static uint32_t take(uint32_t count) {
  uint32_t value = (uint32_t)(z->hold & (((uint64_t)1 << count) - 1));
  z->hold >>= count;
  z->bits -= count;
  return value;
}

enum { NEED_BITS = -1, NO_SYMBOL = -2 };

/* The symbol of the code that begins at bit *at of the bits at hand, moving on behind it. */
static int decode_symbol(const struct Code *code, uint32_t *at) {
  uint32_t word = 0, first = 0, index = 0;
  for (uint32_t length = 1; length <= MOST_BITS; length++) {
    if (*at >= z->bits) return NEED_BITS;
    word |= (uint32_t)(z->hold >> (*at)++) & 1;
    uint32_t count = code->count[length];
    if (word < first + count) return code->symbols[index + word - first];
    index += count;
    first = (first + count) << 1;
    word <<= 1;
  }
  return NO_SYMBOL;
}

/* The value of `count` bits at bit *at, moving on behind them; NEED_BITS when they are not there. */
static int peek(uint32_t count, uint32_t *at) {
  if (*at + count > z->bits) return NEED_BITS;
  int value = (int)(z->hold >> *at & ((1u << count) - 1));
  *at += count;
  return value;
}

/* A literal, a match or the end of the block, INFLATE_ROOM being there. NEED_BITS changes nothing; 0 is success. */
static int careful_symbol(struct Place *at) {
  uint32_t used = 0;
  int symbol = decode_symbol(z->literals, &used);
  if (symbol < 0) return symbol;
  if (symbol < END_OF_BLOCK) {
    *at->out++ = (uint8_t)symbol;
  } else if (symbol == END_OF_BLOCK) {
    z->mode = z->last ? ENDED : BLOCK_HEADER;
  } else {
    symbol -= END_OF_BLOCK + 1;
    if (symbol >= (int)sizeof length_base) return NO_SYMBOL;
    int more = peek(length_extra[symbol], &used);
    if (more < 0) return more;
    uint32_t length = LEAST_LENGTH + length_base[symbol] + (uint32_t)more;
    symbol = decode_symbol(z->distances, &used);
    if (symbol < 0) return symbol;
    if (symbol >= (int)(sizeof distance_base / sizeof *distance_base)) return NO_SYMBOL;
    more = peek(distance_extra((uint32_t)symbol), &used);
    if (more < 0) return more;
    uint32_t distance = distance_base[symbol] + (uint32_t)more;
    if (distance > (uint32_t)(at->out - at->begin)) return NO_SYMBOL;
    at->out = copy_match(at->out, distance, length);
  }
  take(used);
  if (z->before_tables) z->before_tables = z->before_tables > used ? z->before_tables - used : 1;
  return 0;
}

static enum InflateStatus symbols(struct Place *at) {
  while (z->mode == SYMBOLS) {
    if (at->out_end - at->out < INFLATE_ROOM) return INFLATE_FULL;
    if (z->before_tables <= 1 && at->in_end - at->in >= FAST_INPUT) {
      if (z->before_tables && !make_tables()) return INFLATE_BROKEN;
      if (!fast_symbols(at)) return INFLATE_BROKEN;
      continue;
    }
    fill(at);
    int result = careful_symbol(at);
    if (result == NEED_BITS) return INFLATE_INPUT;
    if (result < 0) return INFLATE_BROKEN;
  }
  return INFLATE_END; /* of the block */
}

/* ---- Blocks ---- */

/* The code of the code lengths, as a table. */
static int make_length_codes(void) {
  struct Code code;
  if (!make_code(&code, z->lengths, LENGTH_CODES)) return 0;
  uint32_t table[1 << LENGTH_CODE_BITS];
  uint32_t total = 0;
  for (uint32_t length = 1; length <= LENGTH_CODE_BITS; length++) total += (uint32_t)code.count[length] << (7 - length);
  if (total != 1u << LENGTH_CODE_BITS) return 0; /* a single code is refused here, too */
  make_table(table, 1 << LENGTH_CODE_BITS, LENGTH_CODE_BITS, &code, literal_entry);
  for (uint32_t i = 0; i < 1u << LENGTH_CODE_BITS; i++) {
    z->length_codes[i] = (uint8_t)((table[i] >> VALUE & 31) << 3 | (table[i] & TAKE));
  }
  return 1;
}

/* Reads the lengths of both codes: 1 when they are all there, 0 for want of input, -1 when they are wrong. */
static int read_lengths(struct Place *at) {
  uint32_t wanted = z->literal_count + z->distance_count;
  while (z->have < wanted) {
    fill(at);
    uint32_t entry = z->length_codes[z->hold & ((1u << LENGTH_CODE_BITS) - 1)];
    uint32_t bits = entry & 7, symbol = entry >> 3;
    if (bits > z->bits) return 0;
    if (symbol < 16) {
      take(bits);
      z->lengths[z->have++] = (uint8_t)symbol;
      continue;
    }
    static const uint8_t more_bits[3] = {2, 3, 7}, least[3] = {3, 3, 11};
    uint32_t kind = symbol - 16;
    if (bits + more_bits[kind] > z->bits) return 0;
    take(bits);
    uint32_t count = least[kind] + take(more_bits[kind]);
    if ((kind == 0 && !z->have) || count > wanted - z->have) return -1;
    memset(z->lengths + z->have, kind == 0 ? z->lengths[z->have - 1] : 0, count);
    z->have += count;
  }
  return 1;
}

#define NEED(count) \
  do { \
    fill(at); \
    if (z->bits < (count)) return INFLATE_INPUT; \
  } while (0)

static enum InflateStatus run(struct Place *at) {
  static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  enum { DEFLATE = 8, MOST_LITERALS = 286, MOST_DISTANCES = 30 };
  for (;;) {
    switch (z->mode) {
      case ZLIB_HEADER: {
        NEED(16);
        uint32_t method = take(8), flags = take(8);
        int preset = flags & 32; /* a dictionary, which is not supported */
        if ((method << 8 | flags) % 31 || (method & 15) != DEFLATE || method >> 4 > 7 || preset) return INFLATE_BROKEN;
        z->mode = BLOCK_HEADER;
        break;
      }
      case BLOCK_HEADER: {
        NEED(3);
        z->last = (int)take(1);
        uint32_t type = take(2);
        if (type == 3) return INFLATE_BROKEN;
        if (type == 0) take(z->bits & 7); /* to the next byte */
        z->mode = type == 0 ? STORED_SIZE : CODE_COUNTS;
        if (type == 1) begin_fixed();
        break;
      }
      case STORED_SIZE: {
        NEED(32);
        z->stored = take(16);
        if (take(16) != (z->stored ^ 0xffff)) return INFLATE_BROKEN;
        z->mode = STORED;
        break;
      }
      case STORED: {
        for (; z->stored && z->bits && at->out < at->out_end; z->stored--) *at->out++ = (uint8_t)take(8);
        uint32_t size = z->stored, there = (uint32_t)(at->in_end - at->in), room = (uint32_t)(at->out_end - at->out);
        if (size > there) size = there;
        if (size > room) size = room;
        if (z->bits) size = 0;
        memcpy(at->out, at->in, size);
        at->in += size;
        at->out += size;
        z->stored -= size;
        if (z->stored) return at->out == at->out_end ? INFLATE_FULL : INFLATE_INPUT;
        z->mode = z->last ? ENDED : BLOCK_HEADER;
        break;
      }
      case CODE_COUNTS:
        NEED(14);
        z->literal_count = take(5) + 257;
        z->distance_count = take(5) + 1;
        z->length_count = take(4) + 4;
        z->have = 0;
        if (z->literal_count > MOST_LITERALS || z->distance_count > MOST_DISTANCES) return INFLATE_BROKEN;
        memset(z->lengths, 0, LENGTH_CODES);
        z->mode = CODE_LENGTHS;
        break;
      case CODE_LENGTHS:
        for (; z->have < z->length_count; z->have++) {
          NEED(3);
          z->lengths[order[z->have]] = (uint8_t)take(3);
        }
        if (!make_length_codes()) return INFLATE_BROKEN;
        z->have = 0;
        z->mode = LENGTHS;
        break;
      case LENGTHS: {
        int complete = read_lengths(at);
        if (complete == 0) return INFLATE_INPUT;
        if (complete < 0 || !z->lengths[END_OF_BLOCK]) return INFLATE_BROKEN;
        if (!make_codes(z->dynamic, z->literal_count, z->distance_count)) return INFLATE_BROKEN;
        begin_symbols(z->dynamic);
        break;
      }
      case SYMBOLS: {
        enum InflateStatus status = symbols(at);
        if (status != INFLATE_END) return status;
        break;
      }
      case ENDED:
        return INFLATE_END;
      case BAD:
        return INFLATE_BROKEN;
    }
  }
}

enum InflateStatus inflate_run(const uint8_t **in, const uint8_t *in_end, const uint8_t *begin, uint8_t **out,
                               uint8_t *out_end) {
  struct Place at = {.in = *in, .in_begin = *in, .in_end = in_end, .begin = begin, .out = *out, .out_end = out_end};
  enum InflateStatus status = run(&at);
  if (status == INFLATE_BROKEN) z->mode = BAD;
  if (status != INFLATE_INPUT) give_back(&at);
  *in = at.in;
  *out = at.out;
  return status;
}
