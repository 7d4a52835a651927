/*
 * Pillow's bicubic resize (a = -0.5, antialiased), bit for bit, on rows that stream by.
 *
 * Pillow makes two passes with integer weights of 22 bits: the horizontal one to uint8, then the vertical one over its
 * result. Both are sums, so the second need not wait: rows are resized horizontally to uint8 as they come and added,
 * weighted, to the int32 sums of the few output rows whose window they lie in. The order of additions does not matter
 * to integers, so rows may come in any order (bottom-up BMP, interlaced GIF) and the result is still exact.
 * "Crop" means crop first, then resize, as `image.crop(box).resize(size)` does.
 *
 * A picture that EXIF turns on its side is to come out as if it had been turned before: Pillow's horizontal pass then
 * runs down the stored columns. So with RESIZE_ROWS_FIRST the rows are summed up, weighted, at full width; the other
 * pass runs over these sums at the end; and windows of a mirrored axis are those of its mirror image.
 *
 * Tile: eight rows, whatever their places, since all rows have the same windows: a lane is a row. The 32 bits of a lane
 * hold two neighbouring samples, 16-bit, of which a dot product (dot_i16x8) makes the weighted sum; so there is nothing
 * to add up across lanes, and windows need only be padded to an even beginning and end. A weight w of up to 23 bits and
 * a sign is split into w = high * 4096 + low, since 16-bit products cost half of 32-bit ones. The horizontal pass pairs
 * columns, and a step of it has three colours of eight rows: six vectors, twelve sums. The vertical pass pairs rows: its
 * lanes are samples, each lane holds two rows, and a step of it adds four rows to two output rows.
 * Bounds: sums stay below 255 * 2^22 * 1.3 < 2^31 because the weights of a window sum to 2^22 and the negative lobes of
 * the filter hold less than 0.15 of it; what wraps around on the way (sums of `low`) is right again at the end. Zero
 * weights are all that ever meets samples that are not of a row: those past its end and those of a row missing in the
 * eight.
 * Several crops of a picture are resized side by side, each with the memory of one.
 * Memory: outWidth * outHeight * 15 bytes (768 KB at 224), with RESIZE_ROWS_FIRST outHeight * (width * 12 + outWidth *
 * 3); 48 bytes a column for the eight rows and their pairs, with RESIZE_ROWS_FIRST 72; weights of (8 * width / outWidth
 * + 16) * 4 bytes an output column and half of that a row; for Adam7, 16 * outWidth bytes for each second row. And
 * 45 KB, static, for the axes of the picture before.
 */
#include "resize.h"

#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "simd.h"

enum { PRECISION = 22, SPLIT = 12, BATCH = 8, FOUR = 4, PAIR_BYTES = 3 * 2 * BATCH };
#define ROUND (1 << (PRECISION - 1))

/* The windows and weights of one axis. */
struct Axis {
  uint32_t inSize, outSize;
  double begin, end; /* what is resized of the inputs: all of them, 0 to inSize, but for parts of the outer ones */
  uint32_t taps;     /* weights kept per output */
  uint32_t *first;   /* the input where each output's window begins */
  uint32_t *count;   /* how many inputs it holds */
  int32_t *weights;  /* [outSize][taps], zero past count */
};

/* The axes of the picture before, where their windows are small: cameras send one size, and to make the windows takes
 * as long as to resize forty rows. */
enum { KEPT_OUTPUTS = 256, KEPT_WEIGHTS = 5 * 1024 };
struct Kept {
  uint32_t inSize, outSize; /* 0: none */
  double begin, end;
  int mirrored;
  uint32_t first[KEPT_OUTPUTS], count[KEPT_OUTPUTS];
  int32_t weights[KEPT_WEIGHTS];
};

/* What is known of one crop and of the rows that have come for it. */
struct Resizer {
  struct Axis columns, rows;
  uint32_t crop_x, crop_y;
  uint32_t pairs;     /* the most pairs of columns in a window */
  int16_t *split;     /* [outWidth][pairs][4]: high and low of the two weights, from an even column on */
  int32_t *sums;      /* [outHeight][samples] */
  uint8_t *begun;     /* [outHeight]: whether a row of sums has its first value, while it is at hand anyway */
  uint32_t samples;   /* of a row of sums: three an output column, with rows_first three a column; filled to 8s */
  int rows_first;     /* the vertical pass comes before the horizontal one */
  uint8_t *output;    /* [outHeight][outWidth * 3] */
  int32_t *scattered; /* [(height + 1) / 2][outWidth][4], Adam7 only */
  uint32_t hint;      /* an output row near those that the last input row touched */

  /* The rows that wait to be eight. */
  uint8_t *batch[BATCH];   /* the image's whole width, RGB */
  uint32_t batch_y[BATCH]; /* of the crop */
  uint32_t batch_count;
  int batch_scattered;       /* they are sets of pixels, the rest of the row black */
  uint8_t *packed;           /* [pairs of columns][R, G, B][BATCH][2]: samples for the horizontal pass */
  uint8_t *woven[BATCH / 2]; /* [samples][2]: of rows 0 and 1, of 2 and 3 and so on, for the vertical pass */
};

static struct Kept kept_columns, kept_rows;

/* The crop that is worked at: a static variable, since the code for it costs less than that for a pointer. With several
 * crops (see the end) they take turns in it. */
static struct Resizer self;

static double bicubic(double x) {
  const double a = -0.5;
  if (x < 0) x = -x;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/* Pillow's precompute_coeffs and normalize_coeffs_8bpc, in the same order of double operations. */
static int make_windows(struct Axis *axis) {
  uint32_t inSize = axis->inSize, outSize = axis->outSize;
  double scale = (axis->end - axis->begin) / outSize;
  double filterscale = scale < 1 ? 1 : scale;
  double support = 2.0 * filterscale;
  double *exact = malloc(axis->taps * sizeof *exact);
  if (!exact) return 0;

  for (uint32_t out = 0; out < outSize; out++) {
    double center = axis->begin + (out + 0.5) * scale;
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

/* What is cut off the first and the last input of an axis, in eighths of it, as they are stored. */
struct Cut {
  uint32_t first, last;
};

/* Makes the windows, or finds those of the picture before, where `kept` is given. 0 for want of memory. */
static int axis_start(struct Axis *axis, struct Kept *kept, uint32_t inSize, uint32_t outSize, int mirrored,
                      struct Cut cut) {
  axis->inSize = inSize;
  axis->outSize = outSize;
  /* Windows are made as the axis is seen, and mirrored then. */
  axis->begin = (mirrored ? cut.last : cut.first) / 8.0;
  axis->end = inSize - (mirrored ? cut.first : cut.last) / 8.0;
  double scale = (axis->end - axis->begin) / outSize;
  axis->taps = (uint32_t)__builtin_ceil(2.0 * (scale < 1 ? 1 : scale)) * 2 + 1;
  uint64_t bytes = (uint64_t)outSize * axis->taps * sizeof *axis->weights;
  int keep = kept && outSize <= KEPT_OUTPUTS && bytes <= sizeof kept->weights;
  if (keep) {
    axis->first = kept->first;
    axis->count = kept->count;
    axis->weights = kept->weights;
    int same = kept->inSize == inSize && kept->outSize == outSize && kept->mirrored == mirrored;
    if (same && kept->begin == axis->begin && kept->end == axis->end) return 1;
    kept->inSize = 0;
    memset(kept->weights, 0, (size_t)bytes);
  } else {
    axis->first = malloc(outSize * sizeof *axis->first);
    axis->count = malloc(outSize * sizeof *axis->count);
    axis->weights = bytes > 0x7fffffff ? NULL : calloc(1, (size_t)bytes);
    if (!axis->first || !axis->count || !axis->weights) return 0;
  }
  if (!make_windows(axis)) return 0;
  if (mirrored) axis_mirror(axis);
  if (keep) {
    kept->inSize = inSize;
    kept->outSize = outSize;
    kept->begin = axis->begin;
    kept->end = axis->end;
    kept->mirrored = mirrored;
  }
  return 1;
}

static int16_t high_part(int32_t weight) { return (int16_t)(weight >> SPLIT); }

static int16_t low_part(int32_t weight) { return (int16_t)(weight & ((1 << SPLIT) - 1)); }

/* Rearranges the columns' weights for the dot products of horizontal_pass: windows begin at even columns. */
static void split_weights(void) {
  for (uint32_t out = 0; out < self.columns.outSize; out++) {
    const int32_t *from = self.columns.weights + (size_t)out * self.columns.taps;
    int16_t *to = self.split + (size_t)out * self.pairs * 4;
    uint32_t odd = self.columns.first[out] & 1;
    for (uint32_t i = 0; i < self.columns.count[out]; i++) {
      int16_t *pair = to + (i + odd) / 2 * 4 + ((i + odd) & 1);
      pair[0] = high_part(from[i]);
      pair[2] = low_part(from[i]);
    }
  }
}

/* A part of the picture that is resized for itself. */
struct Crop {
  uint32_t x, y, width, height;
  int order;
  struct Cut columns, rows;
};

static int is_cut(struct Cut cut, uint32_t size) {
  return cut.first < 8 && cut.last < 8 && cut.first + cut.last < size * 8;
}

static int one_start(uint32_t imageWidth, uint32_t imageHeight, struct Crop crop, uint32_t outWidth, uint32_t outHeight,
                     int keep) {
  enum { MOST_OUTPUT = 1 << 14 };
  uint32_t x = crop.x, y = crop.y, width = crop.width, height = crop.height;
  int order = crop.order;
  if (!width || !height || x > imageWidth || width > imageWidth - x || y > imageHeight || height > imageHeight - y) {
    return ERROR_USAGE;
  }
  if (!is_cut(crop.columns, width) || !is_cut(crop.rows, height)) return ERROR_USAGE;
  if (!outWidth || !outHeight || outWidth > MOST_OUTPUT || outHeight > MOST_OUTPUT) return ERROR_USAGE;

  self.crop_x = x;
  self.crop_y = y;
  if (!axis_start(&self.columns, keep ? &kept_columns : NULL, width, outWidth, order & RESIZE_MIRROR_COLUMNS,
                  crop.columns) ||
      !axis_start(&self.rows, keep ? &kept_rows : NULL, height, outHeight, order & RESIZE_MIRROR_ROWS, crop.rows)) {
    return ERROR_MEMORY;
  }
  self.rows_first = order & RESIZE_ROWS_FIRST;
  self.samples = ((self.rows_first ? width : outWidth) * 3 + 7) &
                 ~7u; /* no overflow: the image's rows stand in memory */
  uint64_t all = (uint64_t)self.samples * outHeight, pixels = (uint64_t)outWidth * outHeight;
  if (all * sizeof *self.sums > 0x7fffffff || pixels * 3 > 0x7fffffff) return ERROR_MEMORY;
  /* Four columns are packed at a time, and woven is written up to 16 bytes at a time. */
  uint64_t packed_bytes = ((uint64_t)width + 3) / 4 * 2 * PAIR_BYTES;
  /* Woven rows are the input of the vertical pass and, also where it comes first, the output of the horizontal one. */
  uint64_t most_samples = (uint64_t)(width > outWidth ? width : outWidth) * 3;
  uint64_t woven_bytes = (self.rows_first ? most_samples : self.samples) * 2 + 16;
  uint64_t row_bytes = (uint64_t)imageWidth * 3 + ROW_PADDING;
  self.pairs = self.columns.taps / 2 + 1;
  uint64_t split_bytes = (uint64_t)outWidth * self.pairs * 4 * sizeof *self.split;
  if (packed_bytes > 0x7fffffff || woven_bytes > 0x7fffffff || row_bytes > 0x7fffffff || split_bytes > 0x7fffffff) {
    return ERROR_MEMORY;
  }
  self.split = calloc(1, (size_t)split_bytes);
  self.packed = malloc((size_t)packed_bytes);
  self.sums = malloc((size_t)all * sizeof *self.sums);
  self.begun = calloc(1, outHeight);
  int complete = self.split && self.packed && self.sums && self.begun;
  for (int i = 0; i < BATCH / 2; i++) complete &= (self.woven[i] = malloc((size_t)woven_bytes)) != NULL;
  for (int i = 0; i < BATCH; i++) complete &= (self.batch[i] = malloc((size_t)row_bytes)) != NULL;
  self.output = complete ? malloc((size_t)pixels * 3 + ROW_PADDING) : NULL;
  if (!self.output) return ERROR_MEMORY;
  split_weights();
  return STATUS_DONE;
}

static int one_wants(uint32_t y) { return y >= self.crop_y && y - self.crop_y < self.rows.inSize; }

/*
 * ---- The horizontal pass ----
 */

INLINE v128_t unpack_low_16(v128_t a, v128_t b) { return wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
INLINE v128_t unpack_high_16(v128_t a, v128_t b) { return wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
INLINE v128_t unpack_low_32(v128_t a, v128_t b) { return wasm_i32x4_shuffle(a, b, 0, 4, 1, 5); }
INLINE v128_t unpack_high_32(v128_t a, v128_t b) { return wasm_i32x4_shuffle(a, b, 2, 6, 3, 7); }
INLINE v128_t unpack_low_64(v128_t a, v128_t b) { return wasm_i64x2_shuffle(a, b, 0, 2); }
INLINE v128_t unpack_high_64(v128_t a, v128_t b) { return wasm_i64x2_shuffle(a, b, 1, 3); }

/* Pairs up the samples of eight rows, four columns at a time: a transposition of 8 rows by 6 pairs of bytes. `order` has
 * the places of red in the four columns, of green and of blue, `bytes` is those of a pixel; of one byte it is an index
 * into `colors`. */
INLINE void pack_pixels(const uint8_t *const from[BATCH], uint32_t width, uint32_t bytes, v128_t order,
                        const uint32_t *colors) {
  OPAQUE(order);
  const uint8_t *row[BATCH];
  UNROLLED for (int i = 0; i < BATCH; i++) row[i] = from[i];
  uint8_t *to = self.packed;
  for (uint32_t x = 0; x < width; x += 4) {
    v128_t red[2], green[2], blue[2]; /* of four rows: columns 0 and 1 of each, then 2 and 3 */
    UNROLLED for (int half = 0; half < 2; half++) {
      v128_t in[FOUR];
      UNROLLED for (int i = 0; i < FOUR; i++) {
        const uint8_t *at = row[FOUR * half + i];
        in[i] = wasm_i8x16_swizzle(bytes == 1 ? four_colors(colors, at) : wasm_v128_load(at), order);
        row[FOUR * half + i] += FOUR * bytes;
      }
      v128_t red_green_ab = unpack_low_16(in[0], in[1]), red_green_cd = unpack_low_16(in[2], in[3]);
      red[half] = unpack_low_32(red_green_ab, red_green_cd);
      green[half] = unpack_high_32(red_green_ab, red_green_cd);
      blue[half] = unpack_low_32(unpack_high_16(in[0], in[1]), unpack_high_16(in[2], in[3]));
    }
    UNROLLED for (int i = 0; i < 6; i++, to += 16) {
      const v128_t *channel = i % 3 == 0 ? red : i % 3 == 1 ? green : blue;
      v128_t pairs_of_all = i < 3 ? unpack_low_64(channel[0], channel[1]) : unpack_high_64(channel[0], channel[1]);
      wasm_v128_store(to, pairs_of_all);
      OPAQUE(to);
    }
  }
}

static void pack(const uint8_t *const from[BATCH], uint32_t width, enum Pixels pixels, const uint32_t *colors) {
  enum { Z = -128 }; /* an index out of range gives zero */
  const v128_t rgb = wasm_i8x16_const(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, Z, Z, Z, Z);
  const v128_t rgbx = wasm_i8x16_const(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, Z, Z, Z, Z);
  const v128_t bgr = wasm_i8x16_const(2, 5, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9, Z, Z, Z, Z);
  const v128_t bgrx = wasm_i8x16_const(2, 6, 10, 14, 1, 5, 9, 13, 0, 4, 8, 12, Z, Z, Z, Z);
  switch (pixels) {
    case PIXELS_RGB:
      pack_pixels(from, width, 3, rgb, NULL);
      break;
    case PIXELS_BGR:
      pack_pixels(from, width, 3, bgr, NULL);
      break;
    case PIXELS_BGRX:
      pack_pixels(from, width, 4, bgrx, NULL);
      break;
    case PIXELS_INDEX:
      pack_pixels(from, width, 1, rgbx, colors);
      break;
  }
}

/* The sums of one output column: red of the first four packed rows and of the second, green, blue; added to `start`. */
INLINE void column_sums(uint32_t out, v128_t start, v128_t sum[6]) {
  uint32_t first = self.columns.first[out], count = (self.columns.count[out] + (first & 1) + 1) / 2;
  const uint8_t *from = self.packed + (size_t)(first / 2) * PAIR_BYTES;
  const int16_t *weights = self.split + (size_t)out * self.pairs * 4;
  v128_t high[6], low[6];
  UNROLLED for (int i = 0; i < 6; i++) high[i] = wasm_i32x4_const_splat(0), low[i] = start;
  for (const int16_t *end = weights + (size_t)count * 4; weights < end;) {
    v128_t by_high = wasm_v128_load32_splat(weights);
    weights += 2;
    OPAQUE(weights);
    v128_t by_low = wasm_v128_load32_splat(weights);
    weights += 2;
    UNROLLED for (int i = 0; i < 6; i++) {
      v128_t pair = wasm_u16x8_load8x8(from);
      from += 8;
      high[i] = wasm_i32x4_add(high[i], wasm_i32x4_dot_i16x8(pair, by_high));
      low[i] = wasm_i32x4_add(low[i], wasm_i32x4_dot_i16x8(pair, by_low));
      OPAQUE(high[i]);
      OPAQUE(low[i]);
      OPAQUE(from);
    }
  }
  UNROLLED for (int i = 0; i < 6; i++) sum[i] = wasm_i32x4_add(wasm_i32x4_shl(high[i], SPLIT), low[i]);
}

/* Two vectors of sums, rounded already, as 16-bit lanes, which saturate as bytes then. */
INLINE v128_t to_16_bits(v128_t a, v128_t b) {
  return wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(a, PRECISION), wasm_i32x4_shr(b, PRECISION));
}

/* Resizes the packed rows to woven ones. */
static void horizontal_pass(void) {
  for (uint32_t out = 0; out < self.columns.outSize; out++) {
    v128_t sum[6];
    column_sums(out, wasm_i32x4_const_splat(ROUND), sum);
    v128_t red = to_16_bits(sum[0], sum[1]), green = to_16_bits(sum[2], sum[3]), blue = to_16_bits(sum[4], sum[5]);
    /* A 16-bit lane is now two rows; of each there are three samples and one to be overwritten. */
    v128_t red_blue = wasm_u8x16_narrow_i16x8(red, blue), greens = wasm_u8x16_narrow_i16x8(green, green);
    v128_t red_green = unpack_low_16(red_blue, greens), blue_green = unpack_high_16(red_blue, greens);
    v128_t pairs_0_1 = unpack_low_32(red_green, blue_green), pairs_2_3 = unpack_high_32(red_green, blue_green);
    wasm_v128_store64_lane(self.woven[0] + (size_t)out * 6, pairs_0_1, 0);
    wasm_v128_store64_lane(self.woven[1] + (size_t)out * 6, pairs_0_1, 1);
    wasm_v128_store64_lane(self.woven[2] + (size_t)out * 6, pairs_2_3, 0);
    wasm_v128_store64_lane(self.woven[3] + (size_t)out * 6, pairs_2_3, 1);
  }
}

/*
 * ---- The vertical pass ----
 */

/* Weaves rows as they are, for the vertical pass that comes first. */
static void weave(const uint8_t *a, const uint8_t *b, uint8_t *to) {
  for (uint32_t i = 0, count = self.samples; i < count; i += 8, to += 16) {
    v128_t in_a = wasm_v128_load64_zero(a + i), in_b = wasm_v128_load64_zero(b + i);
    wasm_v128_store(to, wasm_i8x16_shuffle(in_a, in_b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  }
}

/* The first output row whose window holds row y of the crop. Windows begin and end in order, so those that hold y are
 * neighbours, and near those of the row before. */
static uint32_t first_output(uint32_t y) {
  if (self.hint == self.rows.outSize) self.hint--;
  while (self.hint > 0 && self.rows.first[self.hint - 1] + self.rows.count[self.hint - 1] > y) self.hint--;
  while (self.hint < self.rows.outSize && self.rows.first[self.hint] + self.rows.count[self.hint] <= y) self.hint++;
  return self.hint;
}

/* The weight that row y of the crop has in output row `out`. */
static int32_t row_weight(uint32_t out, uint32_t y) {
  uint32_t tap = y - self.rows.first[out]; /* huge when y comes before */
  return y >= self.rows.first[out] && tap < self.rows.count[out] ? self.rows.weights[(size_t)out * self.rows.taps + tap]
                                                                 : 0;
}

static uint32_t pair_of(int16_t first, int16_t second) { return (uint16_t)first | (uint32_t)(uint16_t)second << 16; }

static int32_t *sums_of(uint32_t out) {
  int32_t *sum = self.sums + (size_t)out * self.samples;
  if (!self.begun[out]) {
    for (uint32_t i = 0, count = self.samples; i < count; i++) sum[i] = ROUND;
    self.begun[out] = 1;
  }
  return sum;
}

/* Adds four woven rows to one or two neighbouring rows of sums, beginning with `sum`. Each has the high parts of its
 * weights for the rows ab and cd, then the low ones. */
INLINE void add_weighted(const uint8_t *ab, const uint8_t *cd, const v128_t weights[][FOUR], int32_t *sum, int count) {
  const uint32_t samples = self.samples; /* the stores below might change it, for all that the compiler knows */
  for (uint32_t i = 0; i < samples; i += 4, ab += 8, cd += 8, sum += 4) {
    v128_t in_ab = wasm_u16x8_load8x8(ab), in_cd = wasm_u16x8_load8x8(cd);
    for (int out = 0; out < count; out++) {
      const v128_t *by = weights[out];
      int32_t *to = sum + (size_t)out * samples;
      v128_t high = wasm_i32x4_add(wasm_i32x4_dot_i16x8(in_ab, by[0]), wasm_i32x4_dot_i16x8(in_cd, by[1]));
      v128_t low = wasm_i32x4_add(wasm_i32x4_dot_i16x8(in_ab, by[2]), wasm_i32x4_dot_i16x8(in_cd, by[3]));
      v128_t added = wasm_i32x4_add(wasm_i32x4_shl(high, SPLIT), low);
      wasm_v128_store(to, wasm_i32x4_add(wasm_v128_load(to), added));
    }
  }
}

/* Adds four of the woven rows, of which `count` are real, to the output rows whose windows they lie in: two output rows
 * at a time, which share the loads of the woven ones. */
static void vertical_pass(const uint32_t y[FOUR], uint32_t count, const uint8_t *ab, const uint8_t *cd) {
  uint32_t least = y[0], most = y[0];
  for (uint32_t i = 1; i < count; i++) {
    if (y[i] < least) least = y[i];
    if (y[i] > most) most = y[i];
  }
  uint32_t out = first_output(least), end = out;
  while (end < self.rows.outSize && self.rows.first[end] <= most) end++;
  for (; out < end; out += 2) {
    v128_t weights[2][FOUR];
    int32_t any = 0;
    for (uint32_t o = 0; o < 2; o++) {
      int32_t w[FOUR] = {0};
      for (uint32_t i = 0; i < count && out + o < end; i++) any |= w[i] = row_weight(out + o, y[i]);
      weights[o][0] = wasm_i32x4_splat((int32_t)pair_of(high_part(w[0]), high_part(w[1])));
      weights[o][1] = wasm_i32x4_splat((int32_t)pair_of(high_part(w[2]), high_part(w[3])));
      weights[o][2] = wasm_i32x4_splat((int32_t)pair_of(low_part(w[0]), low_part(w[1])));
      weights[o][3] = wasm_i32x4_splat((int32_t)pair_of(low_part(w[2]), low_part(w[3])));
    }
    if (!any) continue;
    int32_t *sum = sums_of(out);
    if (out + 1 < end) {
      sums_of(out + 1);
      add_weighted(ab, cd, weights, sum, 2);
    } else {
      add_weighted(ab, cd, weights, sum, 1);
    }
  }
}

/* The same for all rows of the batch. */
static void add_woven_rows(void) {
  for (uint32_t i = 0; i < self.batch_count; i += FOUR) {
    uint32_t left = self.batch_count - i;
    vertical_pass(self.batch_y + i, left < FOUR ? left : FOUR, self.woven[i / 2], self.woven[i / 2 + 1]);
  }
}

/*
 * ---- Rows by the eight ----
 */

/* The sums of even row y of the crop. */
static int32_t *scattered_sums(uint32_t y) {
  return self.scattered + (size_t)((y + self.crop_y) / 2 - (self.crop_y + 1) / 2) * self.columns.outSize * 4;
}

/* Adds the packed rows to the scattered sums. Two rows may be the same one, of two passes. */
static void add_scattered(void) {
  int32_t *to[BATCH];
  for (uint32_t i = 0; i < self.batch_count; i++) to[i] = scattered_sums(self.batch_y[i]);
  for (uint32_t out = 0; out < self.columns.outSize; out++) {
    v128_t sum[6], row[BATCH], zero = wasm_i32x4_const_splat(0);
    column_sums(out, zero, sum);
    for (int i = 0; i < 2; i++) {
      v128_t r = sum[i], g = sum[2 + i], b = sum[4 + i], *four = row + FOUR * i;
      v128_t rg01 = unpack_low_32(r, g), rg23 = unpack_high_32(r, g);
      v128_t b01 = unpack_low_32(b, zero), b23 = unpack_high_32(b, zero);
      four[0] = unpack_low_64(rg01, b01), four[1] = unpack_high_64(rg01, b01);
      four[2] = unpack_low_64(rg23, b23), four[3] = unpack_high_64(rg23, b23);
    }
    for (uint32_t i = 0; i < self.batch_count; i++) {
      int32_t *at = to[i] + (size_t)out * 4;
      wasm_v128_store(at, wasm_i32x4_add(wasm_v128_load(at), row[i]));
    }
  }
}

static void pack_batch(void) {
  const uint8_t *from[BATCH];
  for (int i = 0; i < BATCH; i++) from[i] = self.batch[i] + (size_t)self.crop_x * 3;
  pack(from, self.columns.inSize, PIXELS_RGB, NULL);
}

/* Works off the rows that wait. */
static void flush(void) {
  if (!self.batch_count) return;
  if (self.rows_first) {
    size_t x = (size_t)self.crop_x * 3;
    for (uint32_t i = 0; i < self.batch_count; i += 2)
      weave(self.batch[i] + x, self.batch[i + 1] + x, self.woven[i / 2]);
    add_woven_rows();
  } else {
    pack_batch();
    if (self.batch_scattered) {
      add_scattered();
    } else {
      horizontal_pass();
      add_woven_rows();
    }
  }
  self.batch_count = 0;
}

/* Counts the row that was put into the next buffer. */
static void add_to_batch(uint32_t y) {
  self.batch_y[self.batch_count++] = y - self.crop_y;
  if (self.batch_count == BATCH) flush();
}

static void one_row(uint32_t y, const uint8_t *rgb) {
  if (!one_wants(y)) return;
  size_t x = (size_t)self.crop_x * 3;
  if (rgb != self.batch[self.batch_count])
    memcpy(self.batch[self.batch_count] + x, rgb + x, (size_t)self.columns.inSize * 3);
  add_to_batch(y);
}

static int one_eight_rows(uint32_t y, int up, const uint8_t *pixels, uint32_t distance, enum Pixels kind,
                          const uint32_t *colors) {
  uint32_t last = up ? y - (BATCH - 1) : y + (BATCH - 1);
  if (self.batch_count || self.rows_first || !one_wants(y) || !one_wants(last)) return 0;
  const uint8_t *from[BATCH];
  pixels += (size_t)self.crop_x * (kind == PIXELS_INDEX ? 1 : kind == PIXELS_BGRX ? 4 : 3);
  for (uint32_t i = 0; i < BATCH; i++, pixels += distance) {
    from[i] = pixels;
    self.batch_y[i] = (up ? y - i : y + i) - self.crop_y;
  }
  pack(from, self.columns.inSize, kind, colors);
  horizontal_pass();
  self.batch_count = BATCH;
  add_woven_rows();
  self.batch_count = 0;
  return 1;
}

/*
 * Adam7. Passes 1 to 6 hold the even rows, each row in several passes, and pass 7 the odd rows whole. So the horizontal
 * sums of the even rows are kept until pass 6 completes them, instead of the frame. A pass's pixels are put at their
 * places in a black row, which adds what they would add alone.
 */
static int one_start_scattered(void) {
  if (self.rows_first) return STATUS_DONE; /* pixels go straight into the sums */
  uint64_t bytes = (uint64_t)(self.rows.inSize / 2 + 1) * self.columns.outSize * 4 * sizeof *self.scattered;
  self.scattered = bytes > 0x7fffffff ? NULL : calloc(1, (size_t)bytes);
  return self.scattered ? STATUS_DONE : ERROR_MEMORY;
}

static void one_pixels(uint32_t y, uint32_t x, uint32_t step, uint32_t count, const uint8_t *rgb) {
  if (!one_wants(y)) return;
  if (!self.batch_scattered) flush();
  self.batch_scattered = 1;
  uint8_t *row = self.batch[self.batch_count];
  memset(row + (size_t)self.crop_x * 3, 0, (size_t)self.columns.inSize * 3);
  for (uint8_t *to = row + (size_t)x * 3; count > 0; count--, to += step * 3, rgb += 3) {
    to[0] = rgb[0], to[1] = rgb[1], to[2] = rgb[2];
  }
  add_to_batch(y);
}

/* Ends even rows, eight at a time: [R, G, B, 0] of each row's sums become woven rows. */
static void flush_ended(void) {
  const v128_t round = wasm_i32x4_const_splat(ROUND);
  const int32_t *from[BATCH];
  for (uint32_t i = 0; i < BATCH; i++) from[i] = scattered_sums(self.batch_y[i < self.batch_count ? i : 0]);
  for (uint32_t out = 0; out < self.columns.outSize; out++) {
    for (int i = 0; i < BATCH / 2; i++) {
      v128_t a = wasm_v128_load(from[2 * i] + (size_t)out * 4), b = wasm_v128_load(from[2 * i + 1] + (size_t)out * 4);
      v128_t both = to_16_bits(wasm_i32x4_add(a, round), wasm_i32x4_add(b, round));
      v128_t woven_both = wasm_u8x16_narrow_i16x8(both, both);
      woven_both = wasm_i8x16_shuffle(woven_both, woven_both, 0, 4, 1, 5, 2, 6, 3, 7, 0, 4, 1, 5, 2, 6, 3, 7);
      wasm_v128_store64_lane(self.woven[i] + (size_t)out * 6, woven_both, 0);
    }
  }
  add_woven_rows();
  self.batch_count = 0;
}

static void one_scattered_rows(uint32_t height) {
  flush();
  self.batch_scattered = 0;
  for (uint32_t y = 0; y < height; y += 2) {
    if (!one_wants(y) || self.rows_first) continue;
    self.batch_y[self.batch_count++] = y - self.crop_y;
    if (self.batch_count == BATCH) flush_ended();
  }
  if (self.batch_count) flush_ended();
}

/*
 * ---- The output ----
 */

/* A row of sums as bytes, written in eights. */
static void round_row(const int32_t *from, uint8_t *to) {
  for (uint32_t i = 0; i < self.samples; i += 8) {
    v128_t a = wasm_i32x4_shr(wasm_v128_load(from + i), PRECISION);
    v128_t b = wasm_i32x4_shr(wasm_v128_load(from + i + 4), PRECISION);
    v128_t narrow = wasm_i16x8_narrow_i32x4(a, b);
    wasm_v128_store64_lane(to + i, wasm_u8x16_narrow_i16x8(narrow, narrow), 0);
  }
}

/* The horizontal pass over up to eight rows of sums, where it comes last. */
static void output_rows(uint32_t out, uint32_t count) {
  size_t width = (size_t)self.columns.outSize * 3;
  for (uint32_t i = 0; i < count; i++) {
    round_row(sums_of(out + i), self.batch[i] + (size_t)self.crop_x * 3);
  }
  pack_batch();
  horizontal_pass();
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *from = self.woven[i / 2] + i % 2;
    uint8_t *to = self.output + (out + i) * width;
    for (size_t x = 0; x < width; x++) to[x] = from[2 * x];
  }
}

static const uint8_t *one_output(void) {
  if (!self.output) return NULL;
  flush();
  if (self.rows_first) {
    for (uint32_t out = 0; out < self.rows.outSize; out += BATCH) {
      output_rows(out, self.rows.outSize - out < BATCH ? self.rows.outSize - out : BATCH);
    }
  } else {
    size_t width = (size_t)self.columns.outSize * 3;
    for (uint32_t out = 0; out < self.rows.outSize; out++) round_row(sums_of(out), self.output + out * width);
  }
  return self.output;
}

/*
 * ---- Several crops ----
 *
 * One of them is worked at, in `self`; the others wait. All get the rows of the picture as they come, and each takes its
 * own, so that a picture is decoded once for all of them.
 */
static struct Crop further[MOST_CROPS - 1]; /* those that resize_also has declared */
static struct Resizer waiting[MOST_CROPS];
static uint32_t crop_count, current;
static uint32_t rows_begin, rows_end; /* of the picture: from the first row of any crop to the last */
static uint32_t columns_begin, columns_end;
static struct Cut next_columns, next_rows; /* of the crop that is declared next */

/* Takes what was said of the next crop. */
static struct Crop crop_of(uint32_t x, uint32_t y, uint32_t width, uint32_t height, int order) {
  struct Crop crop = {x, y, width, height, order, next_columns, next_rows};
  next_columns = next_rows = (struct Cut){0, 0};
  return crop;
}

/* Has a crop worked at. */
static void turn_to(uint32_t crop) {
  if (crop == current) return;
  waiting[current] = self;
  self = waiting[crop];
  current = crop;
}

void resize_reset(void) {
  memset(&self, 0, sizeof self);
  crop_count = 1;
  current = rows_begin = rows_end = 0;
  next_columns = next_rows = (struct Cut){0, 0};
}

void resize_inset(uint32_t left, uint32_t right, uint32_t top, uint32_t bottom) {
  next_columns = (struct Cut){left, right};
  next_rows = (struct Cut){top, bottom};
}

int resize_also(uint32_t x, uint32_t y, uint32_t width, uint32_t height, int order) {
  if (crop_count == MOST_CROPS) return 0;
  further[crop_count - 1] = crop_of(x, y, width, height, order);
  crop_count++;
  return 1;
}

int resize_start(uint32_t imageWidth, uint32_t imageHeight, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                 uint32_t outWidth, uint32_t outHeight, int order) {
  rows_begin = y;
  rows_end = y + height;
  columns_begin = x;
  columns_end = x + width;
  struct Crop first = crop_of(x, y, width, height, order);
  int status = one_start(imageWidth, imageHeight, first, outWidth, outHeight, 1);
  for (uint32_t i = 1; i < crop_count && status == STATUS_DONE; i++) {
    const struct Crop *c = further + i - 1;
    memset(waiting + i, 0, sizeof *waiting);
    turn_to(i);
    status = one_start(imageWidth, imageHeight, *c, outWidth, outHeight, 0);
    if (c->x < columns_begin) columns_begin = c->x;
    if (c->x + c->width > columns_end) columns_end = c->x + c->width;
    if (c->y < rows_begin) rows_begin = c->y;
    if (c->y + c->height > rows_end) rows_end = c->y + c->height;
  }
  turn_to(0);
  return status;
}

int resize_wants(uint32_t y) { return y >= rows_begin && y < rows_end; }

uint32_t resize_end(void) { return rows_end; }

uint32_t resize_begin(void) { return rows_begin; }

void resize_columns(uint32_t *begin, uint32_t *end) {
  *begin = columns_begin;
  *end = columns_end;
}

uint32_t resize_rows(void) { return rows_end - rows_begin; }

uint8_t *resize_buffer(void) { return self.batch[self.batch_count]; }

void resize_row(uint32_t y, const uint8_t *rgb) {
  if (!resize_wants(y)) return;
  /* `rgb` may be the buffer of the first crop, which takes the row last and is left in its place. */
  for (uint32_t crop = crop_count; crop-- > 0;) {
    turn_to(crop);
    one_row(y, rgb);
  }
  info.rows++;
}

int resize_eight_rows(uint32_t y, int up, const uint8_t *pixels, uint32_t distance, enum Pixels kind,
                      const uint32_t *colors) {
  if (crop_count > 1 || !one_eight_rows(y, up, pixels, distance, kind, colors)) return 0;
  info.rows += BATCH;
  return 1;
}

int resize_start_scattered(void) {
  int status = STATUS_DONE;
  for (uint32_t crop = crop_count; crop-- > 0 && status == STATUS_DONE;) {
    turn_to(crop);
    status = one_start_scattered();
  }
  turn_to(0);
  return status;
}

void resize_pixels(uint32_t y, uint32_t x, uint32_t step, uint32_t count, const uint8_t *rgb) {
  for (uint32_t crop = crop_count; crop-- > 0;) {
    turn_to(crop);
    one_pixels(y, x, step, count, rgb);
  }
}

void resize_scattered_rows(uint32_t height) {
  for (uint32_t crop = crop_count; crop-- > 0;) {
    turn_to(crop);
    one_scattered_rows(height);
  }
  for (uint32_t y = 0; y < height; y += 2) info.rows += resize_wants(y);
}

const uint8_t *resize_output(uint32_t crop) {
  if (crop >= crop_count) return NULL;
  turn_to(crop);
  const uint8_t *pixels = one_output();
  turn_to(0);
  return pixels;
}
