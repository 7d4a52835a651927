/*
 * libjpeg-turbo's SIMD hooks (jsimd.h) for wasm: the inverse DCTs of 8, 4 and 2 pixels, YCbCr to RGB, and fancy
 * upsampling. libjpeg-turbo has such code for CPUs only. Each function computes what its C counterpart computes for
 * every valid stream, with the same constants and rounding, so pixels do not change; where values leave 16 bits, which
 * only damaged files make them do, it saturates as libjpeg-turbo's x86 code does.
 *
 * Tile of the DCTs: a vector of eight 16-bit values is one row of the block, so a pass over rows transforms all eight
 * columns at once. C's products of 32 bits become dot_i16x8: two rows are interleaved, and one instruction gives
 * a * row1 + b * row2 in 32 bits. The two-step rotations of jidctint.c are multiplied out into one constant per input
 * for that, which is exact, as they are sums of integers.
 * Bounds: blocks are 8x8; rows of samples are read and written by their width, remainders one by one.
 */
#define JPEG_INTERNALS
#include <wasm_simd128.h>

/* In the order in which they need each other. */
#include "jinclude.h"
#include "jpeglib.h"
#include "jdct.h"
#include "jsimd.h"
#include "jsimddct.h"

enum { CONST_BITS = 13, PASS1_BITS = 2 };

/* jidctint.c's constants, as it rounds them. */
enum {
  F_0_298 = 2446,
  F_0_390 = 3196,
  F_0_541 = 4433,
  F_0_765 = 6270,
  F_0_899 = 7373,
  F_1_175 = 9633,
  F_1_501 = 12299,
  F_1_847 = 15137,
  F_1_961 = 16069,
  F_2_053 = 16819,
  F_2_562 = 20995,
  F_3_072 = 25172,
};

#define SIMD static inline __attribute__((always_inline))

/* Eight sums of 32 bits. */
typedef struct {
  v128_t low, high;
} Wide;

/* a * row1 + b * row2; `pair` holds two constants. */
#define PAIR(a, b) wasm_i16x8_const(a, b, a, b, a, b, a, b)

SIMD v128_t interleave_low(v128_t a, v128_t b) { return wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
SIMD v128_t interleave_high(v128_t a, v128_t b) { return wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

SIMD Wide interleave(v128_t a, v128_t b) { return (Wide){interleave_low(a, b), interleave_high(a, b)}; }
SIMD Wide dot(Wide rows, v128_t pair) {
  return (Wide){wasm_i32x4_dot_i16x8(rows.low, pair), wasm_i32x4_dot_i16x8(rows.high, pair)};
}
SIMD Wide add(Wide a, Wide b) { return (Wide){wasm_i32x4_add(a.low, b.low), wasm_i32x4_add(a.high, b.high)}; }
SIMD Wide subtract(Wide a, Wide b) { return (Wide){wasm_i32x4_sub(a.low, b.low), wasm_i32x4_sub(a.high, b.high)}; }

/* Divides by 2^bits, rounding, to 16 bits. */
SIMD v128_t descale(Wide a, int bits) {
  const v128_t half = wasm_i32x4_splat(1 << (bits - 1));
  return wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(wasm_i32x4_add(a.low, half), (uint32_t)bits),
                                 wasm_i32x4_shr(wasm_i32x4_add(a.high, half), (uint32_t)bits));
}

/* Two vectors of 16-bit values around 0 to bytes around 128. */
SIMD v128_t to_samples(v128_t a, v128_t b) {
  return wasm_v128_xor(wasm_i8x16_narrow_i16x8(a, b), wasm_i8x16_const_splat(-128));
}

static v128_t row_of(JCOEFPTR block, const ISLOW_MULT_TYPE *table, int row) {
  return wasm_i16x8_mul(wasm_v128_load(block + row * DCTSIZE), wasm_v128_load(table + row * DCTSIZE));
}

/* Whether all coefficients except the first are zero, as in much of a photo. */
static int is_flat(JCOEFPTR block) {
  v128_t any = wasm_i16x8_replace_lane(wasm_v128_load(block), 0, 0);
  for (int row = 1; row < DCTSIZE; row++) any = wasm_v128_or(any, wasm_v128_load(block + row * DCTSIZE));
  return !wasm_v128_any_true(any);
}

/* The sample of a flat block. */
static int flat_sample(JCOEFPTR block, const ISLOW_MULT_TYPE *table) {
  int value = (((int16_t)(block[0] * table[0]) + 4) >> 3) + 128;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

static void fill_flat(JSAMPARRAY output, JDIMENSION column, int size, int sample) {
  for (int row = 0; row < size; row++) memset(output[row] + column, sample, (size_t)size);
}

SIMD void transpose(v128_t r[8]) {
  v128_t a[8], b[8];
  for (int i = 0; i < 4; i++) {
    a[2 * i] = interleave_low(r[i], r[i + 4]);
    a[2 * i + 1] = interleave_high(r[i], r[i + 4]);
  }
  for (int i = 0; i < 4; i++) {
    b[2 * i] = interleave_low(a[i], a[i + 4]);
    b[2 * i + 1] = interleave_high(a[i], a[i + 4]);
  }
  for (int i = 0; i < 4; i++) {
    r[2 * i] = interleave_low(b[i], b[i + 4]);
    r[2 * i + 1] = interleave_high(b[i], b[i + 4]);
  }
}

/* One pass of jpeg_idct_islow over the rows r, which leaves the results, divided by 2^bits, in r. */
SIMD void islow_pass(v128_t r[8], int bits) {
  Wide rows04 = interleave(r[0], r[4]), rows26 = interleave(r[2], r[6]);
  Wide rows13 = interleave(r[1], r[3]), rows57 = interleave(r[5], r[7]);

  Wide tmp0 = dot(rows04, PAIR(1 << CONST_BITS, 1 << CONST_BITS));
  Wide tmp1 = dot(rows04, PAIR(1 << CONST_BITS, -(1 << CONST_BITS)));
  Wide tmp2 = dot(rows26, PAIR(F_0_541, F_0_541 - F_1_847));
  Wide tmp3 = dot(rows26, PAIR(F_0_541 + F_0_765, F_0_541));
  Wide tmp10 = add(tmp0, tmp3), tmp13 = subtract(tmp0, tmp3);
  Wide tmp11 = add(tmp1, tmp2), tmp12 = subtract(tmp1, tmp2);

  Wide odd0 = add(dot(rows13, PAIR(F_1_175 - F_0_899, F_1_175 - F_1_961)),
                  dot(rows57, PAIR(F_1_175, F_0_298 - F_0_899 + F_1_175 - F_1_961)));
  Wide odd1 = add(dot(rows13, PAIR(F_1_175 - F_0_390, F_1_175 - F_2_562)),
                  dot(rows57, PAIR(F_2_053 - F_2_562 + F_1_175 - F_0_390, F_1_175)));
  Wide odd2 = add(dot(rows13, PAIR(F_1_175, F_3_072 - F_2_562 + F_1_175 - F_1_961)),
                  dot(rows57, PAIR(F_1_175 - F_2_562, F_1_175 - F_1_961)));
  Wide odd3 = add(dot(rows13, PAIR(F_1_501 - F_0_899 + F_1_175 - F_0_390, F_1_175)),
                  dot(rows57, PAIR(F_1_175 - F_0_390, F_1_175 - F_0_899)));

  r[0] = descale(add(tmp10, odd3), bits);
  r[7] = descale(subtract(tmp10, odd3), bits);
  r[1] = descale(add(tmp11, odd2), bits);
  r[6] = descale(subtract(tmp11, odd2), bits);
  r[2] = descale(add(tmp12, odd1), bits);
  r[5] = descale(subtract(tmp12, odd1), bits);
  r[3] = descale(add(tmp13, odd0), bits);
  r[4] = descale(subtract(tmp13, odd0), bits);
}

void jsimd_idct_islow(j_decompress_ptr cinfo, jpeg_component_info *component, JCOEFPTR block, JSAMPARRAY output,
                      JDIMENSION column) {
  (void)cinfo;
  const ISLOW_MULT_TYPE *table = component->dct_table;
  if (is_flat(block)) {
    fill_flat(output, column, DCTSIZE, flat_sample(block, table));
    return;
  }
  v128_t r[8];
  for (int i = 0; i < DCTSIZE; i++) r[i] = row_of(block, table, i);
  islow_pass(r, CONST_BITS - PASS1_BITS);
  transpose(r);
  islow_pass(r, CONST_BITS + PASS1_BITS + 3);
  transpose(r);
  for (int i = 0; i < DCTSIZE; i += 2) {
    v128_t two = to_samples(r[i], r[i + 1]);
    wasm_v128_store64_lane(output[i] + column, two, 0);
    wasm_v128_store64_lane(output[i + 1] + column, two, 1);
  }
}

/* jpeg_idct_4x4's constants. */
enum { F_0_211 = 1730, F_0_509 = 4176, F_0_601 = 4926, F_1_061 = 8697, F_1_451 = 11893, F_2_172 = 17799 };

void jsimd_idct_4x4(j_decompress_ptr cinfo, jpeg_component_info *component, JCOEFPTR block, JSAMPARRAY output,
                    JDIMENSION column) {
  (void)cinfo;
  const ISLOW_MULT_TYPE *table = component->dct_table;
  if (is_flat(block)) {
    fill_flat(output, column, 4, flat_sample(block, table));
    return;
  }
  const v128_t even = PAIR(F_1_847, -F_0_765);
  const v128_t odd0_75 = PAIR(-F_0_211, F_1_451), odd0_31 = PAIR(-F_2_172, F_1_061);
  const v128_t odd2_75 = PAIR(-F_0_509, -F_0_601), odd2_31 = PAIR(F_0_899, F_2_562);

  /* Columns. Column 4 is transformed too, but not used. */
  v128_t row0 = row_of(block, table, 0);
  Wide tmp0 = {wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(row0), CONST_BITS + 1),
               wasm_i32x4_shl(wasm_i32x4_extend_high_i16x8(row0), CONST_BITS + 1)};
  Wide tmp2 = dot(interleave(row_of(block, table, 2), row_of(block, table, 6)), even);
  Wide rows75 = interleave(row_of(block, table, 7), row_of(block, table, 5));
  Wide rows31 = interleave(row_of(block, table, 3), row_of(block, table, 1));
  Wide tmp10 = add(tmp0, tmp2), tmp12 = subtract(tmp0, tmp2);
  Wide odd0 = add(dot(rows75, odd0_75), dot(rows31, odd0_31));
  Wide odd2 = add(dot(rows75, odd2_75), dot(rows31, odd2_31));
  enum { BITS1 = CONST_BITS - PASS1_BITS + 1, BITS2 = CONST_BITS + PASS1_BITS + 3 + 1 };
  v128_t a = descale(add(tmp10, odd2), BITS1), b = descale(add(tmp12, odd0), BITS1);
  v128_t c = descale(subtract(tmp12, odd0), BITS1), d = descale(subtract(tmp10, odd2), BITS1);

  /* Rows: four lanes, one per row, for each column or pair of columns. */
  v128_t ab_low = interleave_low(a, b), cd_low = interleave_low(c, d); /* a0 b0 a1 b1 a2 b2 a3 b3 */
  v128_t ab_high = interleave_high(a, b), cd_high = interleave_high(c, d);
  v128_t columns01 = wasm_i32x4_shuffle(ab_low, cd_low, 0, 4, 1, 5); /* a0 b0 c0 d0 a1 b1 c1 d1 */
  v128_t columns23 = wasm_i32x4_shuffle(ab_low, cd_low, 2, 6, 3, 7);
  v128_t columns45 = wasm_i32x4_shuffle(ab_high, cd_high, 0, 4, 1, 5);
  v128_t columns67 = wasm_i32x4_shuffle(ab_high, cd_high, 2, 6, 3, 7);
  v128_t pair26 = interleave_low(columns23, columns67);
  v128_t pair75 = interleave_high(columns67, columns45);
  v128_t pair31 = interleave_high(columns23, columns01);
  v128_t t0 = wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(columns01), CONST_BITS + 1);
  v128_t t2 = wasm_i32x4_dot_i16x8(pair26, even);
  v128_t o0 = wasm_i32x4_add(wasm_i32x4_dot_i16x8(pair75, odd0_75), wasm_i32x4_dot_i16x8(pair31, odd0_31));
  v128_t o2 = wasm_i32x4_add(wasm_i32x4_dot_i16x8(pair75, odd2_75), wasm_i32x4_dot_i16x8(pair31, odd2_31));
  v128_t t10 = wasm_i32x4_add(t0, t2), t12 = wasm_i32x4_sub(t0, t2);
  v128_t columns_01 = descale((Wide){wasm_i32x4_add(t10, o2), wasm_i32x4_add(t12, o0)}, BITS2);
  v128_t columns_23 = descale((Wide){wasm_i32x4_sub(t12, o0), wasm_i32x4_sub(t10, o2)}, BITS2);
  /* Bytes: column 0 of rows a to d, then columns 1, 2 and 3. */
  v128_t samples = to_samples(columns_01, columns_23);
  samples = wasm_i8x16_shuffle(samples, samples, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  wasm_v128_store32_lane(output[0] + column, samples, 0);
  wasm_v128_store32_lane(output[1] + column, samples, 1);
  wasm_v128_store32_lane(output[2] + column, samples, 2);
  wasm_v128_store32_lane(output[3] + column, samples, 3);
}

/* jpeg_idct_2x2's constants. */
enum { F_0_720 = 5906, F_0_850 = 6967, F_1_272 = 10426, F_3_624 = 29692 };

void jsimd_idct_2x2(j_decompress_ptr cinfo, jpeg_component_info *component, JCOEFPTR block, JSAMPARRAY output,
                    JDIMENSION column) {
  (void)cinfo;
  const ISLOW_MULT_TYPE *table = component->dct_table;
  if (is_flat(block)) {
    fill_flat(output, column, 2, flat_sample(block, table));
    return;
  }
  enum { BITS1 = CONST_BITS - PASS1_BITS + 2, BITS2 = CONST_BITS + PASS1_BITS + 3 + 2 };
  v128_t row0 = row_of(block, table, 0);
  Wide tmp10 = {wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(row0), CONST_BITS + 2),
                wasm_i32x4_shl(wasm_i32x4_extend_high_i16x8(row0), CONST_BITS + 2)};
  Wide tmp0 = add(dot(interleave(row_of(block, table, 7), row_of(block, table, 5)), PAIR(-F_0_720, F_0_850)),
                  dot(interleave(row_of(block, table, 3), row_of(block, table, 1)), PAIR(-F_1_272, F_3_624)));
  v128_t top = descale(add(tmp10, tmp0), BITS1), bottom = descale(subtract(tmp10, tmp0), BITS1);

  /* Rows: the odd columns weighted and summed within each row; the even ones but column 0 have no part in it. */
  const v128_t weights = wasm_i16x8_const(0, F_3_624, 0, -F_1_272, 0, F_0_850, 0, -F_0_720);
  v128_t t = wasm_i32x4_dot_i16x8(top, weights), b = wasm_i32x4_dot_i16x8(bottom, weights);
  v128_t halves = wasm_i32x4_add(wasm_i32x4_shuffle(t, b, 0, 1, 4, 5), wasm_i32x4_shuffle(t, b, 2, 3, 6, 7));
  v128_t odd = wasm_i32x4_add(halves, wasm_i32x4_shuffle(halves, halves, 1, 0, 3, 2)); /* top twice, bottom twice */
  v128_t first = wasm_i32x4_shl(
      wasm_i32x4_shuffle(wasm_i32x4_extend_low_i16x8(top), wasm_i32x4_extend_low_i16x8(bottom), 0, 0, 4, 4),
      CONST_BITS + 2);
  const v128_t signs = wasm_i32x4_const(0, -1, 0, -1); /* plus to the left, minus to the right */
  v128_t sums = wasm_i32x4_add(first, wasm_i32x4_sub(wasm_v128_xor(odd, signs), signs));
  v128_t values = descale((Wide){sums, sums}, BITS2);
  v128_t samples = to_samples(values, values);
  wasm_v128_store16_lane(output[0] + column, samples, 0);
  wasm_v128_store16_lane(output[1] + column, samples, 1);
}

/* jdcolor.c: R = Y + 1.402 Cr, G = Y - 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb with 16 fractional bits, rounded. The
 * constants that exceed 16 bits are written as a whole part and a rest: 1.402 = 1 + 26345 / 65536 and so on. */
enum { R_CR = 91881 - 65536, G_CB = -22554, G_CR = 65536 - 46802, B_CB = 116130 - 131072, COLOR_BITS = 16 };

/* (a * x + b * y + half) >> 16 of eight 16-bit values each. */
SIMD v128_t weigh(v128_t x, v128_t y, v128_t pair) { return descale(dot(interleave(x, y), pair), COLOR_BITS); }

static uint8_t clamp(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

void jsimd_ycc_rgb_convert(j_decompress_ptr cinfo, JSAMPIMAGE input, JDIMENSION input_row, JSAMPARRAY output,
                           int rows) {
  const v128_t center = wasm_i16x8_const_splat(128), zero = wasm_i16x8_const_splat(0);
  JDIMENSION width = cinfo->output_width;
  for (int row = 0; row < rows; row++, input_row++) {
    const uint8_t *ys = input[0][input_row], *cbs = input[1][input_row], *crs = input[2][input_row];
    uint8_t *to = output[row];
    JDIMENSION x = 0;
    for (; x + 8 <= width; x += 8, to += 24) {
      v128_t y = wasm_u16x8_load8x8(ys + x);
      v128_t cb = wasm_i16x8_sub(wasm_u16x8_load8x8(cbs + x), center);
      v128_t cr = wasm_i16x8_sub(wasm_u16x8_load8x8(crs + x), center);
      v128_t r = wasm_i16x8_add(wasm_i16x8_add(y, cr), weigh(cr, zero, PAIR(R_CR, 0)));
      v128_t g = wasm_i16x8_add(wasm_i16x8_sub(y, cr), weigh(cb, cr, PAIR(G_CB, G_CR)));
      v128_t b = wasm_i16x8_add(wasm_i16x8_add(y, wasm_i16x8_shl(cb, 1)), weigh(cb, zero, PAIR(B_CB, 0)));
      v128_t rg = wasm_u8x16_narrow_i16x8(r, g), bb = wasm_u8x16_narrow_i16x8(b, b);
      wasm_v128_store(to, wasm_i8x16_shuffle(rg, bb, 0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19, 4, 12, 20, 5));
      v128_t rest = wasm_i8x16_shuffle(rg, bb, 13, 21, 6, 14, 22, 7, 15, 23, 0, 0, 0, 0, 0, 0, 0, 0);
      wasm_v128_store64_lane(to + 16, rest, 0);
    }
    for (; x < width; x++, to += 3) {
      int y = ys[x], cb = cbs[x] - 128, cr = crs[x] - 128, half = 1 << (COLOR_BITS - 1);
      to[0] = clamp(y + cr + ((R_CR * cr + half) >> COLOR_BITS));
      to[1] = clamp(y - cr + ((G_CB * cb + G_CR * cr + half) >> COLOR_BITS));
      to[2] = clamp(y + 2 * cb + ((B_CB * cb + half) >> COLOR_BITS));
    }
  }
}

/* Stores eight pairs of bytes, given as 16-bit lanes. */
SIMD void store_pairs(uint8_t *to, v128_t even, v128_t odd) {
  wasm_v128_store(to, wasm_v128_or(even, wasm_i16x8_shl(odd, 8)));
}

SIMD v128_t load8(const uint8_t *p) { return wasm_u16x8_load8x8(p); }

/* Twice the width: each sample becomes two, three quarters of itself and one of the neighbour on that side. */
static void double_row(const uint8_t *from, uint8_t *to, JDIMENSION count) {
  to[0] = from[0];
  to[1] = (uint8_t)((from[0] * 3 + from[1] + 2) >> 2);
  JDIMENSION i = 1;
  for (; i + 9 <= count; i += 8) {
    v128_t near = wasm_i16x8_mul(load8(from + i), wasm_i16x8_const_splat(3));
    v128_t left = wasm_i16x8_add(load8(from + i - 1), wasm_i16x8_const_splat(1));
    v128_t right = wasm_i16x8_add(load8(from + i + 1), wasm_i16x8_const_splat(2));
    store_pairs(to + 2 * i, wasm_u16x8_shr(wasm_i16x8_add(near, left), 2),
                wasm_u16x8_shr(wasm_i16x8_add(near, right), 2));
  }
  for (; i + 1 < count; i++) {
    to[2 * i] = (uint8_t)((from[i] * 3 + from[i - 1] + 1) >> 2);
    to[2 * i + 1] = (uint8_t)((from[i] * 3 + from[i + 1] + 2) >> 2);
  }
  to[2 * i] = (uint8_t)((from[i] * 3 + from[i - 1] + 1) >> 2);
  to[2 * i + 1] = from[i];
}

void jsimd_h2v1_fancy_upsample(j_decompress_ptr cinfo, jpeg_component_info *component, JSAMPARRAY input,
                               JSAMPARRAY *output) {
  for (int row = 0; row < cinfo->max_v_samp_factor; row++) {
    double_row(input[row], (*output)[row], component->downsampled_width);
  }
}

/* Three quarters of the nearer row and one of the farther, times four: one sample, or eight. */
#define SUM(i) (near[i] * 3 + far[i])
SIMD v128_t sum8(const uint8_t *near, const uint8_t *far) {
  return wasm_i16x8_add(wasm_i16x8_mul(load8(near), wasm_i16x8_const_splat(3)), load8(far));
}

/* The same in both directions. */
static void double_row_between(const uint8_t *near, const uint8_t *far, uint8_t *to, JDIMENSION count) {
  to[0] = (uint8_t)((SUM(0) * 4 + 8) >> 4);
  to[1] = (uint8_t)((SUM(0) * 3 + SUM(1) + 7) >> 4);
  JDIMENSION i = 1;
  for (; i + 9 <= count; i += 8) {
    v128_t middle = wasm_i16x8_mul(sum8(near + i, far + i), wasm_i16x8_const_splat(3));
    v128_t left = wasm_i16x8_add(sum8(near + i - 1, far + i - 1), wasm_i16x8_const_splat(8));
    v128_t right = wasm_i16x8_add(sum8(near + i + 1, far + i + 1), wasm_i16x8_const_splat(7));
    store_pairs(to + 2 * i, wasm_u16x8_shr(wasm_i16x8_add(middle, left), 4),
                wasm_u16x8_shr(wasm_i16x8_add(middle, right), 4));
  }
  for (; i + 1 < count; i++) {
    to[2 * i] = (uint8_t)((SUM(i) * 3 + SUM(i - 1) + 8) >> 4);
    to[2 * i + 1] = (uint8_t)((SUM(i) * 3 + SUM(i + 1) + 7) >> 4);
  }
  to[2 * i] = (uint8_t)((SUM(i) * 3 + SUM(i - 1) + 8) >> 4);
  to[2 * i + 1] = (uint8_t)((SUM(i) * 4 + 7) >> 4);
}

void jsimd_h2v2_fancy_upsample(j_decompress_ptr cinfo, jpeg_component_info *component, JSAMPARRAY input,
                               JSAMPARRAY *output) {
  JDIMENSION count = component->downsampled_width;
  for (int row = 0; row < cinfo->max_v_samp_factor; row += 2, input++) {
    double_row_between(input[0], input[-1], (*output)[row], count);
    double_row_between(input[0], input[1], (*output)[row + 1], count);
  }
}

/* The functions that exist here, and those that libjpeg computes itself. */
#define YES(name) \
  int jsimd_can_##name(void) { return 1; }
#define NO(name) \
  int jsimd_can_##name(void) { return 0; }
#define NO_FUNCTION(name, ...) \
  NO(name) \
  void jsimd_##name(__VA_ARGS__) { __builtin_trap(); }

YES(idct_islow)
YES(idct_4x4)
YES(idct_2x2)
YES(ycc_rgb)
YES(h2v1_fancy_upsample)
YES(h2v2_fancy_upsample)

#pragma clang diagnostic ignored "-Wunused-parameter"
#define IDCT_PARAMETERS j_decompress_ptr c, jpeg_component_info *i, JCOEFPTR b, JSAMPARRAY o, JDIMENSION x
#define UPSAMPLE_PARAMETERS j_decompress_ptr c, jpeg_component_info *i, JSAMPARRAY in, JSAMPARRAY *out
#define MERGE_PARAMETERS j_decompress_ptr c, JSAMPIMAGE in, JDIMENSION row, JSAMPARRAY out
NO_FUNCTION(idct_ifast, IDCT_PARAMETERS)
NO_FUNCTION(idct_float, IDCT_PARAMETERS)
NO_FUNCTION(h2v1_upsample, UPSAMPLE_PARAMETERS)
NO_FUNCTION(h2v2_upsample, UPSAMPLE_PARAMETERS)
NO_FUNCTION(h2v1_merged_upsample, MERGE_PARAMETERS)
NO_FUNCTION(h2v2_merged_upsample, MERGE_PARAMETERS)
NO(ycc_rgb565)
void jsimd_ycc_rgb565_convert(j_decompress_ptr c, JSAMPIMAGE in, JDIMENSION row, JSAMPARRAY out, int rows) {
  __builtin_trap();
}
