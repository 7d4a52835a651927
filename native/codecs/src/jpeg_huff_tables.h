/* The tables of jpeg_huff.c: what the next bits of a Huffman-coded scan mean. They are made from tables that libjpeg has
 * checked. */
#ifndef JPEG_HUFF_TABLES_H
#define JPEG_HUFF_TABLES_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "jpeglib.h" /* with JPEG_INTERNALS, which jdhuff.c defines */

/* Bits that are looked up at once: for an AC coefficient, for two, for a DC difference. More would not fit the L1 cache. */
enum { LOOK = 11, PAIR_LOOK = 11, DC_LOOK = 10 };

/* An entry, of the bits that come: how many of them are used (5 bits; 0 for a code that is longer than LOOK), by how much
 * k grows (7 bits), how many bits of the coefficient still have to be read (4 bits), the coefficient (16 bits; 0 if there is
 * none, or if it has to be read). */
typedef uint32_t Entry;

enum { STEP_AT = 5, REST_AT = 12, VALUE_AT = 16, END_OF_BLOCK = DCTSIZE2 };

/* An entry for two symbols with their coefficients: how many bits are used (6 bits, of which a shift takes no others; 0 if
 * not even the first symbol and its coefficient, of less than 7 bits, fit), by how much k grows with the first and with the
 * second (6 bits each), their coefficients (7 bits each). If only one fits, its coefficient stands there twice, and k does
 * not grow a second time. Where a symbol has no coefficient, it is 0. */
typedef uint32_t Pair;

enum {
  PAIR_FIRST_AT = 6,
  PAIR_SECOND_AT = 12,
  PAIR_VALUE_AT = 18,
  PAIR_VALUE_BITS = 7,
  PAIR_END_OF_BLOCK = DCTSIZE2 - 1
};

/* Up to this k the first symbol leaves room for a second one, unless it ends the block. */
enum { PAIR_LIMIT = DCTSIZE2 - 2 - 16 };

/* Where coefficient k is in the block, in bytes. k is at most PAIR_LIMIT and two steps. What is beyond the block goes to its
 * last coefficient, as in jpeg_natural_order. */
static uint8_t places[PAIR_LIMIT + 16 + PAIR_END_OF_BLOCK + 1];

static void fill_places(void) {
  for (uint32_t k = 0; k < sizeof places; k++) {
    places[k] = (uint8_t)(sizeof(JCOEF) * (size_t)jpeg_natural_order[k < DCTSIZE2 ? k : DCTSIZE2 - 1]);
  }
}

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

/* An entry for a DC difference, of the DC_LOOK bits that come: how many are used (6 bits; 0 if it does not fit), and the
 * difference (16 bits). */
typedef int32_t Difference;

enum { DIFFERENCE_AT = 16 };

static void fill_differences(Difference *table, const JHUFF_TBL *from) {
  memset(table, 0, sizeof(Difference) << DC_LOOK);
  uint32_t code = 0, index = 0;
  for (uint32_t length = 1; length <= DC_LOOK; length++, code <<= 1) {
    for (uint32_t i = 0; i < from->bits[length]; i++, index++, code++) {
      uint32_t size = from->huffval[index], free = DC_LOOK - length;
      if (size > free) continue;
      for (uint32_t behind = 0; behind < 1u << free; behind++) {
        int value = size ? extend(behind >> (free - size), size) : 0;
        table[code << free | behind] = (Difference)((length + size) | (uint32_t)value << DIFFERENCE_AT);
      }
    }
  }
}

/* What one symbol at the beginning of `count` bits contributes to a Pair; 0 if it does not fit. */
struct Step {
  uint32_t used, step, value;
};

static struct Step first_step(const Entry *table, uint32_t bits, uint32_t count) {
  const Entry entry = table[count < LOOK ? bits << (LOOK - count) : bits >> (count - LOOK)];
  const uint32_t used = entry & 31, step = entry >> STEP_AT & 127;
  const int value = (int32_t)entry >> VALUE_AT;
  if (used > count || (entry >> REST_AT & 15) || value < -64 || value > 63) return (struct Step){0, 0, 0};
  return (struct Step){used, step < END_OF_BLOCK ? step : PAIR_END_OF_BLOCK, (uint32_t)value & 127};
}

static void fill_pairs(Pair *to, const Entry *table) {
  for (uint32_t bits = 0; bits < 1u << PAIR_LOOK; bits++) {
    const struct Step first = first_step(table, bits, PAIR_LOOK);
    struct Step second = {0, 0, 0};
    if (first.used && first.step != PAIR_END_OF_BLOCK) {
      const uint32_t left = PAIR_LOOK - first.used;
      second = first_step(table, bits & ((1u << left) - 1), left);
    }
    if (!second.used) second.value = first.value;
    to[bits] = first.used + second.used + (first.step << PAIR_FIRST_AT) + (second.step << PAIR_SECOND_AT) +
               (first.value << PAIR_VALUE_AT) + (second.value << (PAIR_VALUE_AT + PAIR_VALUE_BITS));
  }
}

#endif
