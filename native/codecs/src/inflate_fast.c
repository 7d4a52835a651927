/*
 * The inner loop of inflate, in place of zlib's inffast.c, for 64-bit registers, five literals a turn and 16-byte
 * copies. It makes PNG a tenth to a seventh faster as a whole. It is called by zlib's inflate.c under the same
 * conditions and keeps the same promises; tables and state are zlib's (inflate.h).
 *
 * Conditions: at least 6 bytes of input and 258 of output; state->bits < 8; and, beyond what zlib demands, SLACK bytes
 * that may be read behind the input, read behind the window, and overwritten behind the output (png.c provides them).
 * Bounds: a length and a distance take at most 15 + 5 + 15 + 13 = 48 bits, 6 bytes, and give at most 258. The first
 * symbol has them by condition, each further one is begun only when 8 bytes and 258 are left. Distances are
 * checked against what was written and what the window holds.
 */
#include <string.h>
#include <wasm_simd128.h>

#include "zutil.h"
#include "inftrees.h"
#include "inflate.h"

enum { SLACK = 16, MOST_LENGTH = 258, LENGTH_OR_DISTANCE = 16, END_OF_BLOCK = 32, INVALID = 64, EXTRA_BITS = 15 };
_Static_assert(sizeof(code) == 4, "a table entry is loaded as one word");

#define INLINE static inline __attribute__((always_inline))

/* A table entry: op in the low byte, then the code's bits, then the value. */
INLINE uint32_t entry(const code *table, uint64_t index) {
  uint32_t word;
  memcpy(&word, table + (uint32_t)index, sizeof word);
  return word;
}

/* Copies `length` bytes, sixteen at a time, from memory that does not overlap. */
INLINE uint8_t *copy_chunks(uint8_t *out, const uint8_t *from, uint32_t length) {
  uint8_t *end = out + length;
  for (; out < end; out += SLACK, from += SLACK) wasm_v128_store(out, wasm_v128_load(from));
  return end;
}

/* Copies a match of which all is in the output. A distance below 16 repeats itself within the chunk: lane i is byte
 * i % distance, and chunks advance by the largest multiple of the distance. */
INLINE uint8_t *copy_match(uint8_t *out, uint32_t distance, uint32_t length) {
  if (distance >= SLACK) return copy_chunks(out, out - distance, length);
  static const uint8_t remainder[SLACK][SLACK] = {
#define ROW(d) \
  {0, 1 % d, 2 % d, 3 % d, 4 % d, 5 % d, 6 % d, 7 % d, 8 % d, 9 % d, 10 % d, 11 % d, 12 % d, 13 % d, 14 % d, 15 % d}
      {0},    ROW(1), ROW(2),  ROW(3),  ROW(4),  ROW(5),  ROW(6),  ROW(7),
      ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15),
  };
  static const uint8_t advance[SLACK] = {0, 16, 16, 15, 16, 15, 12, 14, 16, 9, 10, 11, 12, 13, 14, 15};
  v128_t pattern = wasm_i8x16_swizzle(wasm_v128_load(out - distance), wasm_v128_load(remainder[distance]));
  uint8_t *end = out + length;
  for (; out < end; out += advance[distance]) wasm_v128_store(out, pattern);
  return end;
}

/* Copies a match that begins `back` bytes before the output, in the window, and may go on in the output. */
static uint8_t *copy_from_window(const struct inflate_state *state, uint8_t *out, uint32_t back, uint32_t distance,
                                 uint32_t length) {
  uint32_t at = state->wnext >= back ? state->wnext - back : state->wsize + state->wnext - back;
  uint32_t from_window = back < length ? back : length;
  length -= from_window;
  uint32_t before_wrap = state->wsize - at;
  if (from_window > before_wrap) {
    out = copy_chunks(out, state->window + at, before_wrap);
    from_window -= before_wrap;
    at = 0;
  }
  out = copy_chunks(out, state->window + at, from_window);
  return length ? copy_match(out, distance, length) : out;
}

void ZLIB_INTERNAL inflate_fast(z_streamp stream, unsigned start) {
  struct inflate_state *state = (struct inflate_state *)stream->state;
  const uint8_t *in = stream->next_in;
  const uint8_t *in_end = in + stream->avail_in;
  uint8_t *out = stream->next_out;
  uint8_t *begin = out - (start - stream->avail_out);
  uint8_t *out_end = out + stream->avail_out;
  uint64_t hold = state->hold;
  uint32_t bits = state->bits;
  const code *lengths = state->lencode, *distances = state->distcode;
  uint32_t length_mask = (1u << state->lenbits) - 1, distance_mask = (1u << state->distbits) - 1;

#define TAKE(count) (hold >>= (count), bits -= (count))
  do {
    if (bits < 48) { /* to 56 bits or more; what is loaded beyond comes in again, the same, with the next load */
      uint64_t next;
      memcpy(&next, in, sizeof next);
      hold |= next << bits;
      in += (63 - bits) >> 3;
      bits |= 56;
    }
    uint32_t here = entry(lengths, hold & length_mask);
    /* A literal, and up to four more while 48 bits were at hand: this table (lenbits) has them of 9 bits at most. */
    if ((uint8_t)here == 0) {
      TAKE(here >> 8 & 255);
      *out++ = (uint8_t)(here >> 16);
      here = entry(lengths, hold & length_mask);
      if ((uint8_t)here) continue;
      TAKE(here >> 8 & 255);
      *out++ = (uint8_t)(here >> 16);
      here = entry(lengths, hold & length_mask);
      if ((uint8_t)here) continue;
      TAKE(here >> 8 & 255);
      *out++ = (uint8_t)(here >> 16);
      here = entry(lengths, hold & length_mask);
      if ((uint8_t)here) continue;
      TAKE(here >> 8 & 255);
      *out++ = (uint8_t)(here >> 16);
      here = entry(lengths, hold & length_mask);
      if ((uint8_t)here) continue;
      TAKE(here >> 8 & 255);
      *out++ = (uint8_t)(here >> 16);
      continue;
    }
    TAKE(here >> 8 & 255);
    if (!(here & (LENGTH_OR_DISTANCE | END_OF_BLOCK | INVALID))) { /* a code longer than the table's index */
      here = entry(lengths, (here >> 16) + (hold & ((1u << (here & EXTRA_BITS)) - 1)));
      TAKE(here >> 8 & 255);
      if ((uint8_t)here == 0) {
        *out++ = (uint8_t)(here >> 16);
        continue;
      }
    }
    if (!(here & LENGTH_OR_DISTANCE)) {
      if (here & END_OF_BLOCK) {
        state->mode = TYPE;
      } else {
        state->mode = BAD;
      }
      break;
    }
    uint32_t extra = here & EXTRA_BITS;
    uint32_t length = (here >> 16) + ((uint32_t)hold & ((1u << extra) - 1));
    TAKE(extra);

    here = entry(distances, hold & distance_mask);
    TAKE(here >> 8 & 255);
    if (!(here & (LENGTH_OR_DISTANCE | INVALID))) {
      here = entry(distances, (here >> 16) + (hold & ((1u << (here & EXTRA_BITS)) - 1)));
      TAKE(here >> 8 & 255);
    }
    if (!(here & LENGTH_OR_DISTANCE)) {
      state->mode = BAD;
      break;
    }
    extra = here & EXTRA_BITS;
    uint32_t distance = (here >> 16) + ((uint32_t)hold & ((1u << extra) - 1));
    TAKE(extra);

    uint32_t written = (uint32_t)(out - begin);
    if (distance <= written) {
      out = copy_match(out, distance, length);
    } else if (distance - written <= state->whave) {
      out = copy_from_window(state, out, distance - written, distance, length);
    } else {
      state->mode = BAD;
      break;
    }
  } while (in - (bits >> 3) + 8 <= in_end && out_end - out >= MOST_LENGTH);

  /* Gives back the bytes that were not used. */
  in -= bits >> 3;
  bits &= 7;
  stream->next_in = (Bytef *)in;
  stream->avail_in = (unsigned)(in_end - in);
  stream->next_out = out;
  stream->avail_out = (unsigned)(out_end - out);
  state->hold = (unsigned long)(hold & ((1u << bits) - 1));
  state->bits = bits;
}
