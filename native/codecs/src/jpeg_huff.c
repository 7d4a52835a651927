/*
 * The entropy decoder of JPEGs with one Huffman-coded scan, the largest part of the work on a large photo. libjpeg looks
 * up a code, and then reads the bits of its coefficient. Here one look-up gives both, and those of the next code, too, where
 * they are at most PAIR_LOOK bits together; two in three codes of a photo come in such pairs. What a pair leaves, long codes
 * and large coefficients, is looked up one by one.
 *
 * How it fits in: jdhuff.c is included, with the name of its initialisation changed, so that its state and its tables
 * can be used. jdinput.c gets the decoder here.
 *
 * Bounds: fast_mcu() works only on bytes that are in the window and free of markers, and changes nothing but
 * coefficients until the MCU is complete. Whatever else it meets (a marker, a code that is none, the end of the window),
 * it leaves the whole MCU to libjpeg's decode_mcu_slow(), which suspends, warns and makes up data as ever. k is at most
 * 62 + 16, for which jpeg_natural_order has entries.
 * Memory: 16 KB for each table of AC codes, 4 KB for each of DC codes.
 */
#ifdef __wasm__
/* jdhuff.h chooses a bit buffer of 64 bits for CPUs that it knows to have registers of 64 bits beside 32-bit pointers.
 * wasm is such a CPU, but jdhuff.h does not know its name; these are the names of x32. */
#define __x86_64__ 1
#define __ILP32__ 1
#endif
#define jinit_huff_decoder jpeg_stock_huff_decoder
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "jdhuff.c"
#pragma GCC diagnostic pop
#undef jinit_huff_decoder

#include <stdint.h>
#include <string.h>
#include <wasm_simd128.h>

#include "jpeg_huff_tables.h"

/* Bits after refill(), at least. A code and its coefficient have at most 16 + 15. */
enum { ENOUGH = 56 };

#define FORCE_INLINE inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

static Entry *tables[NUM_HUFF_TBLS];
static Pair *pairs[NUM_HUFF_TBLS];
static Difference *differences[NUM_HUFF_TBLS];

static void *table_of(j_decompress_ptr cinfo, size_t bytes) {
  return (*cinfo->mem->alloc_small)((j_common_ptr)cinfo, JPOOL_IMAGE, bytes);
}

static void start_pass(j_decompress_ptr cinfo) {
  start_pass_huff_decoder(cinfo); /* which checks the tables */
  for (int i = 0; i < cinfo->comps_in_scan; i++) {
    int number = cinfo->cur_comp_info[i]->ac_tbl_no;
    if (!tables[number]) {
      tables[number] = table_of(cinfo, sizeof(Entry) << LOOK);
      pairs[number] = table_of(cinfo, sizeof(Pair) << PAIR_LOOK);
    }
    fill_table(tables[number], cinfo->ac_huff_tbl_ptrs[number]);
    fill_pairs(pairs[number], tables[number]);
    int dc_number = cinfo->cur_comp_info[i]->dc_tbl_no;
    if (!differences[dc_number]) differences[dc_number] = table_of(cinfo, sizeof(Difference) << DC_LOOK);
    fill_differences(differences[dc_number], cinfo->dc_huff_tbl_ptrs[dc_number]);
  }
  fill_places();
}

/* The first `left` bits of `buffer` were read and not used; those behind them are of no account. */
struct Bits {
  uint64_t buffer, left;
  const uint8_t *next, *end;
};

/* Reads until there are at least ENOUGH bits, if there are fewer than 64. @return 0 at a marker or near the end of the
 * window. */
static FORCE_INLINE int refill(struct Bits *bits) {
  if (bits->end - bits->next < 16) return 0;
  const v128_t eight = wasm_v128_load64_zero(bits->next);
  const uint64_t plain = (uint64_t)wasm_i64x2_extract_lane(eight, 0);
  if (!(plain & ~(plain + 0x0101010101010101) & 0x8080808080808080)) { /* no byte is FF */
    const v128_t turned = wasm_i8x16_shuffle(eight, eight, 7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0);
    bits->buffer |= (uint64_t)wasm_i64x2_extract_lane(turned, 0) >> bits->left;
    bits->next += (63 - bits->left) >> 3;
    bits->left |= ENOUGH;
    return 1;
  }
  for (; bits->left < ENOUGH; bits->left += 8) {
    uint8_t byte = *bits->next++;
    if (byte == 0xff && *bits->next++ != 0) return 0;
    bits->buffer |= (uint64_t)byte << (ENOUGH - bits->left);
  }
  return 1;
}

static FORCE_INLINE uint32_t peek(const struct Bits *bits, uint32_t count) {
  return (uint32_t)(bits->buffer >> (64 - count));
}

static FORCE_INLINE void drop(struct Bits *bits, uint32_t count) {
  bits->buffer <<= count;
  bits->left -= count;
}

/* The coefficient of `size` bits, 1 to 15. */
static FORCE_INLINE int take_coefficient(struct Bits *bits, uint32_t size) {
  int value = extend(peek(bits, size), size);
  drop(bits, size);
  return value;
}

/* The symbol of the code that comes, of any length; -1 if it is none. */
static FORCE_INLINE int take_symbol(struct Bits *bits, const d_derived_tbl *table) {
  int entry = table->lookup[peek(bits, HUFF_LOOKAHEAD)], length = entry >> HUFF_LOOKAHEAD;
  if (length <= HUFF_LOOKAHEAD) {
    drop(bits, (uint32_t)length);
    return entry & 0xff;
  }
  while (length <= 16 && (JLONG)peek(bits, (uint32_t)length) > table->maxcode[length]) length++;
  if (length > 16) return -1;
  int code = (int)peek(bits, (uint32_t)length);
  drop(bits, (uint32_t)length);
  return table->pub->huffval[(code + (int)table->valoffset[length]) & 0xff];
}

static FORCE_INLINE void put(JCOEF *block, uint32_t k, int32_t value) {
  *(JCOEF *)((uint8_t *)block + places[k]) = (JCOEF)value;
}

/* The AC coefficients of a block; with `store`, they are kept. @return 0 if libjpeg has to decode the MCU. */
static FORCE_INLINE int read_ac(const int store, struct Bits *in, const Pair *two, const Entry *table,
                                const d_derived_tbl *derived, JCOEF *block) {
  struct Bits bits = *in;
  uint32_t k = 0;
  for (;;) {
    Pair pair = 1;
    if (!refill(&bits)) return 0;
    UNROLLED
    for (int i = 0; i < ENOUGH / PAIR_LOOK && k <= PAIR_LIMIT; i++) {
      pair = two[peek(&bits, PAIR_LOOK)];
      if ((pair & 63) == 0) break;
      drop(&bits, pair & 63);
      k += pair >> PAIR_FIRST_AT & 63;
      if (store) put(block, k, (int32_t)(pair << PAIR_VALUE_BITS) >> (PAIR_VALUE_AT + PAIR_VALUE_BITS));
      k += pair >> PAIR_SECOND_AT & 63;
      if (store) put(block, k, (int32_t)pair >> (PAIR_VALUE_AT + PAIR_VALUE_BITS));
    }
    if (k >= DCTSIZE2 - 1) break;
    if (k <= PAIR_LIMIT && (pair & 63)) continue;
    if (!refill(&bits)) return 0;
    int symbols = ENOUGH / LOOK - 1;
    do {
      const Entry entry = table[peek(&bits, LOOK)];
      uint32_t used = entry & 31, rest = entry >> REST_AT & 15;
      int value = (int32_t)entry >> VALUE_AT;
      drop(&bits, used);
      k += entry >> STEP_AT & 127;
      if (value == 0) {
        if (used != 0 && rest == 0) continue; /* the end of the block, or 16 zeros */
        if (!refill(&bits)) return 0;
        if (used == 0) {
          int symbol = take_symbol(&bits, derived);
          if (symbol < 0) return 0;
          k += step_of((uint32_t)symbol);
          rest = (uint32_t)symbol & 15;
          if (rest == 0) break;
        }
        value = take_coefficient(&bits, rest);
        if (store) block[jpeg_natural_order[k]] = (JCOEF)value;
        break;
      }
      if (store) block[jpeg_natural_order[k]] = (JCOEF)value;
    } while (--symbols > 0 && k > PAIR_LIMIT && k < DCTSIZE2 - 1);
    if (k >= DCTSIZE2 - 1) break;
  }
  *in = bits;
  return 1;
}

/* @return 0 if libjpeg has to decode the MCU. */
static int fast_mcu(j_decompress_ptr cinfo, JBLOCKROW *mcu) {
  huff_entropy_ptr entropy = (huff_entropy_ptr)cinfo->entropy;
  const uint8_t *begin = cinfo->src->next_input_byte;
  const uint64_t left = (uint64_t)entropy->bitstate.bits_left;
  struct Bits bits = {left ? entropy->bitstate.get_buffer << (64 - left) : 0, left, begin,
                      begin + cinfo->src->bytes_in_buffer};
  savable_state state = entropy->saved;
  for (int b = 0; b < cinfo->blocks_in_MCU; b++) {
    JCOEF *block = mcu ? *mcu[b] : NULL;
    if (bits.left < ENOUGH && !refill(&bits)) return 0; /* libjpeg may have left 64 bits */
    const int i = cinfo->MCU_membership[b];
    const Difference difference = differences[cinfo->cur_comp_info[i]->dc_tbl_no][peek(&bits, DC_LOOK)];
    int value = difference >> DIFFERENCE_AT;
    if (difference & 63) {
      drop(&bits, (uint32_t)difference & 63);
    } else {
      int size = take_symbol(&bits, entropy->dc_cur_tbls[b]);
      if (size < 0) return 0;
      value = size ? take_coefficient(&bits, (uint32_t)size) : 0;
    }
    if (entropy->dc_needed[b]) {
      value += state.last_dc_val[i];
      state.last_dc_val[i] = value;
      if (block) block[0] = (JCOEF)value;
    }
    const Entry *table = tables[cinfo->cur_comp_info[i]->ac_tbl_no];
    const Pair *two = pairs[cinfo->cur_comp_info[i]->ac_tbl_no];
    const d_derived_tbl *derived = entropy->ac_cur_tbls[b];
    if (!(entropy->ac_needed[b] && block ? read_ac(1, &bits, two, table, derived, block)
                                         : read_ac(0, &bits, two, table, derived, block))) {
      return 0;
    }
  }
  cinfo->src->bytes_in_buffer -= (size_t)(bits.next - begin);
  cinfo->src->next_input_byte = bits.next;
  entropy->bitstate.get_buffer = bits.left ? bits.buffer >> (64 - bits.left) : 0;
  entropy->bitstate.bits_left = (int)bits.left;
  entropy->saved = state;
  return 1;
}

/* As decode_mcu() of jdhuff.c, which says what it does. */
static boolean decode_one(j_decompress_ptr cinfo, JBLOCKROW *mcu) {
  huff_entropy_ptr entropy = (huff_entropy_ptr)cinfo->entropy;
  if (cinfo->restart_interval && entropy->restarts_to_go == 0 && !process_restart(cinfo)) return FALSE;
  if (!entropy->pub.insufficient_data) {
    int done = cinfo->unread_marker == 0 && fast_mcu(cinfo, mcu);
    if (!done && !decode_mcu_slow(cinfo, mcu)) return FALSE;
  }
  if (cinfo->restart_interval) entropy->restarts_to_go--;
  return TRUE;
}

void jinit_huff_decoder(j_decompress_ptr cinfo) {
  jpeg_stock_huff_decoder(cinfo);
  memset(tables, 0, sizeof tables);
  memset(pairs, 0, sizeof pairs);
  memset(differences, 0, sizeof differences);
  cinfo->entropy->start_pass = start_pass;
  cinfo->entropy->decode_mcu = decode_one;
}
