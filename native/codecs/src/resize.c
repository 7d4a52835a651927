/*
 * Pillow's bicubic resize (a = -0.5, antialiased), bit for bit, on rows that stream by.
 *
 * Pillow makes two passes with integer weights of 22 bits: the horizontal one to uint8, then the vertical one over its
 * result. Both are sums, so the second need not wait: each row is resized horizontally to uint8 as it comes and added,
 * weighted, to the int32 sums of the few output rows whose window it lies in. The order of additions does not matter to
 * integers, so rows may come in any order (bottom-up BMP, interlaced GIF) and the result is still exact.
 * "Crop" means crop first, then resize, as `image.crop(box).resize(size)` does.
 *
 * A picture that EXIF turns on its side is to come out as if it had been turned before: Pillow's horizontal pass then
 * runs down the stored columns. So with RESIZE_ROWS_FIRST the rows are summed up, weighted, at full width, and the other
 * pass runs over these sums at the end; and windows of a mirrored axis are those of its mirror image.
 *
 * Tile: one output pixel, its taps four at a time, the three channels side by side in one vector. A weight w of up to
 * 23 bits and a sign is split into w = high * 4096 + low, since 16-bit products summed in pairs (dot_i16x8) cost half
 * of 32-bit ones: two dots give the exact 32-bit sum of two taps for all channels.
 * Bounds: sums stay below 255 * 2^22 * 1.3 < 2^31 because the weights of a window sum to 2^22 and the negative lobes of
 * the filter hold less than 0.15 of it. Taps are padded with zero weights to a multiple of four; a row is read up to
 * ROW_PADDING bytes past its end.
 * Memory: outWidth * outHeight * 15 bytes (768 KB at 224), with RESIZE_ROWS_FIRST outHeight * (width * 12 + outWidth * 3), weights of (4 * width / outWidth + 6) * 4 bytes an output
 * column and likewise a row; for Adam7, 16 * outWidth bytes for each second row.
 */
#include "resize.h"

#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>

#include "codecs.h"

enum { PRECISION = 22, SPLIT = 12, TAPS = 4 };
#define ROUND (1 << (PRECISION - 1))

/* The windows and weights of one axis. */
struct Axis {
  uint32_t inSize, outSize;
  uint32_t taps;    /* weights kept per output, a multiple of TAPS */
  uint32_t *first;  /* the input where each output's window begins */
  uint32_t *count;  /* how many inputs it holds */
  int32_t *weights; /* [outSize][taps], zero past count */
};

static struct Axis columns, rows;
static uint32_t crop_x, crop_y;
static int16_t *split;     /* [outWidth][taps / 4][8]: high of taps 01, 23, low of 01, 23 (the order of the lanes) */
static uint8_t *line;      /* one row after the horizontal pass */
static int32_t *sums;      /* [outHeight][samples] */
static uint32_t samples;   /* of a row of sums: outWidth * 3, or with rows_first the width of the crop times 3 */
static int rows_first;     /* the vertical pass comes before the horizontal one */
static uint8_t *summed;    /* one row after the vertical pass, where that comes first */
static uint8_t *output;    /* [outHeight][outWidth * 3] */
static int32_t *scattered; /* [(height + 1) / 2][outWidth][4], Adam7 only */
static uint32_t hint;      /* an output row near those that the last input row touched */

static double bicubic(double x) {
  const double a = -0.5;
  if (x < 0) x = -x;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/* Pillow's precompute_coeffs and normalize_coeffs_8bpc, in the same order of double operations. */
static int axis_start(struct Axis *axis, uint32_t inSize, uint32_t outSize) {
  double scale = (double)inSize / outSize;
  double filterscale = scale < 1 ? 1 : scale;
  double support = 2.0 * filterscale;
  uint32_t window = (uint32_t)__builtin_ceil(support) * 2 + 1;

  axis->inSize = inSize;
  axis->outSize = outSize;
  axis->taps = (window + TAPS - 1) / TAPS * TAPS;
  axis->first = malloc(outSize * sizeof *axis->first);
  axis->count = malloc(outSize * sizeof *axis->count);
  uint64_t bytes = (uint64_t)outSize * axis->taps * sizeof *axis->weights;
  axis->weights = bytes > 0x7fffffff ? NULL : calloc(1, (size_t)bytes);
  double *exact = malloc(window * sizeof *exact);
  if (!axis->first || !axis->count || !axis->weights || !exact) return 0;

  for (uint32_t out = 0; out < outSize; out++) {
    double center = (out + 0.5) * scale;
    double per_step = 1.0 / filterscale;
    double sum = 0;
    int first = (int)(center - support + 0.5);
    if (first < 0) first = 0;
    int end = (int)(center + support + 0.5);
    if (end > (int)inSize) end = (int)inSize;
    int count = end - first;
    for (int i = 0; i < count; i++) {
      exact[i] = bicubic((i + first - center + 0.5) * per_step);
      sum += exact[i];
    }
    int32_t *weights = axis->weights + (size_t)out * axis->taps;
    for (int i = 0; i < count; i++) {
      double weight = (sum != 0 ? exact[i] / sum : exact[i]) * (1 << PRECISION);
      weights[i] = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    axis->first[out] = (uint32_t)first;
    axis->count[out] = (uint32_t)count;
  }
  free(exact);
  return 1;
}

static void reverse(int32_t *values, uint32_t count) {
  for (uint32_t i = 0; i < count / 2; i++) {
    int32_t value = values[i];
    values[i] = values[count - 1 - i];
    values[count - 1 - i] = value;
  }
}

/* Turns the axis around: output i becomes the one that its mirror image had, over the inputs mirrored. */
static void axis_mirror(struct Axis *axis) {
  for (uint32_t a = 0, b = axis->outSize - 1; a <= b && b < axis->outSize; a++, b--) {
    uint32_t first_a = axis->inSize - axis->first[a] - axis->count[a];
    uint32_t first_b = axis->inSize - axis->first[b] - axis->count[b];
    uint32_t count_a = axis->count[a];
    axis->first[a] = first_b;
    axis->first[b] = first_a;
    axis->count[a] = axis->count[b];
    axis->count[b] = count_a;
    int32_t *at_a = axis->weights + (size_t)a * axis->taps, *at_b = axis->weights + (size_t)b * axis->taps;
    for (uint32_t i = 0; a != b && i < axis->taps; i++) {
      int32_t weight = at_a[i];
      at_a[i] = at_b[i];
      at_b[i] = weight;
    }
    reverse(at_a, axis->count[a]);
    if (a != b) reverse(at_b, axis->count[b]);
  }
}

/* Rearranges the columns' weights for the dot products of horizontal_pass. */
static void split_weights(void) {
  size_t groups = (size_t)columns.outSize * columns.taps / TAPS;
  const int32_t *from = columns.weights;
  int16_t *to = split;
  for (size_t group = 0; group < groups; group++, from += TAPS, to += 2 * TAPS) {
    for (int tap = 0; tap < TAPS; tap++) {
      to[tap] = (int16_t)(from[tap] >> SPLIT);
      to[TAPS + tap] = (int16_t)(from[tap] & ((1 << SPLIT) - 1));
    }
  }
}

void resize_reset(void) {
  memset(&columns, 0, sizeof columns);
  memset(&rows, 0, sizeof rows);
  split = NULL;
  line = output = summed = NULL;
  samples = 0;
  rows_first = 0;
  sums = scattered = NULL;
  hint = 0;
}

int resize_start(uint32_t imageWidth, uint32_t imageHeight, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                 uint32_t outWidth, uint32_t outHeight, int order) {
  enum { MOST_OUTPUT = 1 << 14 };
  if (!width || !height || x > imageWidth || width > imageWidth - x || y > imageHeight || height > imageHeight - y) {
    return ERROR_USAGE;
  }
  if (!outWidth || !outHeight || outWidth > MOST_OUTPUT || outHeight > MOST_OUTPUT) return ERROR_USAGE;

  crop_x = x;
  crop_y = y;
  if (!axis_start(&columns, width, outWidth) || !axis_start(&rows, height, outHeight)) return ERROR_MEMORY;
  if (order & RESIZE_MIRROR_COLUMNS) axis_mirror(&columns);
  if (order & RESIZE_MIRROR_ROWS) axis_mirror(&rows);
  rows_first = order & RESIZE_ROWS_FIRST;
  samples = (rows_first ? width : outWidth) * 3; /* width is below 2^31 / 3: the image's rows stand in memory */
  uint64_t all = (uint64_t)samples * outHeight, pixels = (uint64_t)outWidth * outHeight;
  if (all * sizeof *sums > 0x7fffffff || pixels * 3 > 0x7fffffff) return ERROR_MEMORY;
  split = malloc((size_t)columns.outSize * columns.taps * 2 * sizeof *split);
  line = malloc(outWidth * 3 + ROW_PADDING);
  sums = malloc((size_t)all * sizeof *sums);
  output = malloc((size_t)pixels * 3);
  if (rows_first) summed = malloc(samples + ROW_PADDING);
  if (!split || !line || !sums || !output || (rows_first && !summed)) {
    output = NULL; /* there is none to show */
    return ERROR_MEMORY;
  }
  split_weights();
  for (size_t i = 0; i < (size_t)all; i++) sums[i] = ROUND;
  return STATUS_DONE;
}

int resize_wants(uint32_t y) { return y >= crop_y && y - crop_y < rows.inSize; }

uint32_t resize_end(void) { return crop_y + rows.inSize; }

/* Rounds and clamps the four sums to bytes and stores the three channels (and one byte more). */
static inline void store_pixel(uint8_t *to, v128_t sum) {
  v128_t shifted = wasm_i32x4_shr(sum, PRECISION);
  v128_t narrow = wasm_i16x8_narrow_i32x4(shifted, shifted);
  wasm_v128_store32_lane(to, wasm_u8x16_narrow_i16x8(narrow, narrow), 0);
}

static void horizontal_pass(const uint8_t *rgb) {
  /* Channels of pixels 0 and 1 (2 and 3) side by side as 16-bit pairs: r0 r1 g0 g1 b0 b1 and two zeros. */
  enum { Z = -128 }; /* an index out of range gives nought */
  const v128_t pixels01 = wasm_i8x16_const(0, Z, 3, Z, 1, Z, 4, Z, 2, Z, 5, Z, Z, Z, Z, Z);
  const v128_t pixels23 = wasm_i8x16_const(6, Z, 9, Z, 7, Z, 10, Z, 8, Z, 11, Z, Z, Z, Z, Z);
  const v128_t round = wasm_i32x4_const_splat(ROUND);
  const int16_t *weights = split;
  for (uint32_t out = 0; out < columns.outSize; out++) {
    const uint8_t *from = rgb + (size_t)columns.first[out] * 3;
    uint32_t count = columns.count[out];
    const int16_t *next = weights + (size_t)columns.taps * 2;
    v128_t high = wasm_i32x4_const_splat(0), low = round;
    for (uint32_t tap = 0; tap < count; tap += TAPS, from += 3 * TAPS, weights += 2 * TAPS) {
      v128_t bytes = wasm_v128_load(from);
      v128_t weight = wasm_v128_load(weights);
      v128_t pair = wasm_i8x16_swizzle(bytes, pixels01);
      high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(pair, wasm_i32x4_shuffle(weight, weight, 0, 0, 0, 0)));
      low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(pair, wasm_i32x4_shuffle(weight, weight, 2, 2, 2, 2)));
      pair = wasm_i8x16_swizzle(bytes, pixels23);
      high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(pair, wasm_i32x4_shuffle(weight, weight, 1, 1, 1, 1)));
      low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(pair, wasm_i32x4_shuffle(weight, weight, 3, 3, 3, 3)));
    }
    store_pixel(line + (size_t)out * 3, wasm_i32x4_add(wasm_i32x4_shl(high, SPLIT), low));
    weights = next;
  }
}

/* The first output row whose window holds row y of the crop. Windows begin and end in order, so those that hold y are
 * neighbours, and near those of the row before. */
static uint32_t first_output(uint32_t y) {
  if (hint == rows.outSize) hint--;
  while (hint > 0 && rows.first[hint - 1] + rows.count[hint - 1] > y) hint--;
  while (hint < rows.outSize && rows.first[hint] + rows.count[hint] <= y) hint++;
  return hint;
}

/* Adds a row of samples to the output rows whose window holds row y of the crop. */
static void vertical_pass(uint32_t y, const uint8_t *row) {
  for (uint32_t out = first_output(y); out < rows.outSize && rows.first[out] <= y; out++) {
    int32_t weight = rows.weights[(size_t)out * rows.taps + (y - rows.first[out])];
    int32_t *sum = sums + (size_t)out * samples;
    for (uint32_t i = 0; i < samples; i++) sum[i] += weight * row[i];
  }
}

void resize_row(uint32_t y, const uint8_t *rgb) {
  if (!resize_wants(y)) return;
  const uint8_t *cropped = rgb + (size_t)crop_x * 3;
  if (rows_first) {
    vertical_pass(y - crop_y, cropped);
  } else {
    horizontal_pass(cropped);
    vertical_pass(y - crop_y, line);
  }
  info.rows++;
}

/*
 * Adam7. Passes 1 to 6 hold the even rows, each row in several passes, and pass 7 the odd rows whole. So the horizontal
 * sums of the even rows are kept until pass 6 completes them, instead of the frame.
 */
int resize_start_scattered(void) {
  if (rows_first) return STATUS_DONE; /* pixels go straight into the sums */
  uint64_t bytes = (uint64_t)(rows.inSize / 2 + 1) * columns.outSize * 4 * sizeof *scattered;
  scattered = bytes > 0x7fffffff ? NULL : calloc(1, (size_t)bytes);
  return scattered ? STATUS_DONE : ERROR_MEMORY;
}

/* The sums of even image row y. */
static int32_t *scattered_sums(uint32_t y) {
  return scattered + (size_t)(y / 2 - (crop_y + 1) / 2) * columns.outSize * 4;
}

static void scattered_rows_first(uint32_t y, uint32_t x, uint32_t step, uint32_t count, const uint8_t *rgb) {
  for (uint32_t out = first_output(y); out < rows.outSize && rows.first[out] <= y; out++) {
    int32_t weight = rows.weights[(size_t)out * rows.taps + (y - rows.first[out])];
    int32_t *sum = sums + (size_t)out * samples;
    uint32_t at = x;
    for (uint32_t i = 0; i < count; i++, at += step) {
      if (at < crop_x || at - crop_x >= columns.inSize) continue;
      for (int c = 0; c < 3; c++) sum[(size_t)(at - crop_x) * 3 + c] += weight * rgb[i * 3 + c];
    }
  }
}

void resize_pixels(uint32_t y, uint32_t x, uint32_t step, uint32_t count, const uint8_t *rgb) {
  if (!resize_wants(y)) return;
  if (rows_first) {
    scattered_rows_first(y - crop_y, x, step, count, rgb);
    return;
  }
  int32_t *row = scattered_sums(y);
  uint32_t out = 0; /* the first output whose window has not ended before x */
  for (uint32_t i = 0; i < count; i++, x += step, rgb += 3) {
    if (x < crop_x) continue;
    uint32_t column = x - crop_x;
    if (column >= columns.inSize) return;
    while (out < columns.outSize && columns.first[out] + columns.count[out] <= column) out++;
    v128_t pixel = wasm_i32x4_make(rgb[0], rgb[1], rgb[2], 0);
    for (uint32_t o = out; o < columns.outSize && columns.first[o] <= column; o++) {
      v128_t weight = wasm_i32x4_splat(columns.weights[(size_t)o * columns.taps + (column - columns.first[o])]);
      int32_t *sum = row + (size_t)o * 4;
      wasm_v128_store(sum, wasm_i32x4_add(wasm_v128_load(sum), wasm_i32x4_mul(pixel, weight)));
    }
  }
}

void resize_scattered_row(uint32_t y) {
  if (!resize_wants(y)) return;
  if (rows_first) {
    info.rows++;
    return;
  }
  const int32_t *row = scattered_sums(y);
  for (uint32_t out = 0; out < columns.outSize; out++) {
    v128_t sum = wasm_i32x4_add(wasm_v128_load(row + (size_t)out * 4), wasm_i32x4_const_splat(ROUND));
    store_pixel(line + (size_t)out * 3, sum);
  }
  vertical_pass(y - crop_y, line);
  info.rows++;
}

static void round_row(const int32_t *from, uint32_t count, uint8_t *to) {
  for (uint32_t i = 0; i < count; i++) {
    int32_t value = from[i] >> PRECISION;
    to[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
  }
}

const uint8_t *resize_output(void) {
  if (!output) return NULL;
  size_t width = (size_t)columns.outSize * 3;
  for (uint32_t out = 0; out < rows.outSize; out++) {
    const int32_t *row = sums + (size_t)out * samples;
    uint8_t *to = output + out * width;
    if (rows_first) {
      round_row(row, samples, summed);
      horizontal_pass(summed);
      memcpy(to, line, width);
    } else {
      round_row(row, samples, to);
    }
  }
  return output;
}
