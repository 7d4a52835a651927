/*
 * The entropy decoder of JPEGs with one Huffman-coded scan, the largest part of the work on a large photo. libjpeg looks
 * up a code, and then reads the bits of its coefficient; here one look-up gives both where they are at most LOOK bits
 * together, which nearly all are.
 *
 * How it fits in: jdhuff.c is included, with the name of its initialisation changed, so that its state and its tables
 * can be used. jdinput.c gets the decoder here.
 *
 * Bounds: fast_mcu() works only on bytes that are in the window and free of markers, and changes nothing but
 * coefficients until the MCU is complete. Whatever else it meets (a marker, a code that is none, the end of the window),
 * it leaves the whole MCU to libjpeg's decode_mcu_slow(), which suspends, warns and makes up data as ever. k is at most
 * 62 + 16, for which jpeg_natural_order has entries.
 * Memory: 8 KB for each table of AC codes.
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

/* Bits that are looked up at once. */
enum { LOOK = 11 };
/* Bits after refill(), at least. A code and its coefficient have at most 16 + 15. */
enum { ENOUGH = 56 };

#define FORCE_INLINE inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

/* An entry, of the bits that come: how many of them are used (5 bits; 0 for a code that is longer than LOOK), by how much
 * k grows (7 bits), how many bits of the coefficient still have to be read (4 bits), the coefficient (16 bits; 0 if there is
 * none, or if it has to be read). */
typedef uint32_t Entry;

enum { STEP_AT = 5, REST_AT = 12, VALUE_AT = 16, END_OF_BLOCK = DCTSIZE2 };

static Entry *tables[NUM_HUFF_TBLS];

/* The coefficient of `size` bits. */
static int extend(uint32_t bits, uint32_t size) {
  return bits >> (size - 1) ? (int)bits : (int)bits - (int)(1u << size) + 1;
}

/* By how much k grows with a symbol. */
static uint32_t step_of(uint32_t symbol) {
  uint32_t run = symbol >> 4, size = symbol & 15;
  return size || run == 15 ? run + 1 : END_OF_BLOCK;
}

static void fill_table(Entry *table, const JHUFF_TBL *from) {
  memset(table, 0, sizeof(Entry) << LOOK);
  uint32_t code = 0, index = 0;
  for (uint32_t length = 1; length <= LOOK; length++, code <<= 1) {
    for (uint32_t i = 0; i < from->bits[length]; i++, index++, code++) {
      uint32_t symbol = from->huffval[index], size = symbol & 15, free = LOOK - length, complete = size <= free;
      Entry common = length | step_of(symbol) << STEP_AT | (complete ? 0 : size << REST_AT);
      for (uint32_t behind = 0; behind < 1u << free; behind++) {
        Entry entry = common;
        if (complete && size) {
          int value = extend(behind >> (free - size), size);
          entry = (common + size) | (uint32_t)value << VALUE_AT;
        }
        table[code << free | behind] = entry;
      }
    }
  }
}

static void start_pass(j_decompress_ptr cinfo) {
  start_pass_huff_decoder(cinfo); /* which checks the tables */
  for (int i = 0; i < cinfo->comps_in_scan; i++) {
    int number = cinfo->cur_comp_info[i]->ac_tbl_no;
    if (!tables[number]) {
      tables[number] = (*cinfo->mem->alloc_small)((j_common_ptr)cinfo, JPOOL_IMAGE, sizeof(Entry) << LOOK);
    }
    fill_table(tables[number], cinfo->ac_huff_tbl_ptrs[number]);
  }
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

/* The AC coefficients of a block; with `store`, they are kept. @return 0 if libjpeg has to decode the MCU. */
static FORCE_INLINE int read_ac(const int store, struct Bits *in, const Entry *table, const d_derived_tbl *derived,
                                JCOEF *block) {
  struct Bits bits = *in;
  uint32_t k = 0;
  while (k < DCTSIZE2 - 1) {
    if (!refill(&bits)) return 0;
    UNROLLED
    for (int i = 0; i < ENOUGH / LOOK - 1 && k < DCTSIZE2 - 1; i++) {
      Entry entry = table[peek(&bits, LOOK)];
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
    }
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
    int size = take_symbol(&bits, entropy->dc_cur_tbls[b]);
    if (size < 0) return 0;
    int value = size ? take_coefficient(&bits, (uint32_t)size) : 0, i = cinfo->MCU_membership[b];
    if (entropy->dc_needed[b]) {
      value += state.last_dc_val[i];
      state.last_dc_val[i] = value;
      if (block) block[0] = (JCOEF)value;
    }
    const Entry *table = tables[cinfo->cur_comp_info[i]->ac_tbl_no];
    const d_derived_tbl *derived = entropy->ac_cur_tbls[b];
    if (!(entropy->ac_needed[b] && block ? read_ac(1, &bits, table, derived, block)
                                         : read_ac(0, &bits, table, derived, block))) {
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
  cinfo->entropy->start_pass = start_pass;
  cinfo->entropy->decode_mcu = decode_one;
}
