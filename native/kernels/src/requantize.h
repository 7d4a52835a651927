/* Sums of a quantised operator → bytes, as TensorFlow Lite's MultiplyByQuantizedMultiplier followed by a clamp.
 *
 * TFLite rounds twice: r = (x·m + 2^30) >> 31, then r / 2^e to the nearest, halves away from zero (m: 31 bits, e ≥ 0).
 * Nested floors are one floor, so that both are floor(x·M + C) for x ≥ 0 and floor(x·M + C − N) for x < 0, where
 *     M = m · 2^−(31+e)      C = 1/2 + 2^−(e+1) (1/2 if e = 0)      N = 2^−e (0 if e = 0).
 * In double precision that is exact as long as |x| < 2^22 and e ≤ 11, and beyond that wrong once in a million or less.
 * C also holds BIAS, which makes what is not clamped anyway positive, so that truncation is floor.
 */
#ifndef KERNELS_REQUANTIZE_H
#define KERNELS_REQUANTIZE_H

#include "common.h"

/* Added to C by who packs it. */
#define BIAS 1024

/* Of eight output channels; heads their weights. */
struct Channels {
    int32_t bias[8];
    double multiplier[8]; /* M */
    double offset[8];     /* C + BIAS */
    double negative[8];   /* −N, times the sign mask −1 of x < 0 that is +N; so it is kept as N */
};

struct Range {
    int32_t zero; /* the output's zero point */
    int32_t low;  /* the smallest and the largest byte */
    int32_t high;
};

INLINE v128_t scale_pair(v128_t sums, const double *multiplier, const double *offset) {
    return wasm_f64x2_relaxed_madd(wasm_f64x2_convert_low_i32x4(sums), wasm_v128_load(multiplier), wasm_v128_load(offset));
}

/* Four sums → four scaled integers + BIAS. With `rectified`, where all below zero is clamped to zero, N is left out. */
INLINE v128_t scale_sums(v128_t sums, const struct Channels *channels, int first, int rectified) {
    const double *m = channels->multiplier + first, *c = channels->offset + first, *n = channels->negative + first;
    v128_t high_sums = wasm_i64x2_shuffle(sums, sums, 1, 1);
    v128_t low = scale_pair(sums, m, c), high = scale_pair(high_sums, m + 2, c + 2);
    if (!rectified) {
        v128_t signs = wasm_i32x4_shr(sums, 31), high_signs = wasm_i64x2_shuffle(signs, signs, 1, 1);
        low = wasm_f64x2_relaxed_madd(wasm_f64x2_convert_low_i32x4(signs), wasm_v128_load(n), low);
        high = wasm_f64x2_relaxed_madd(wasm_f64x2_convert_low_i32x4(high_signs), wasm_v128_load(n + 2), high);
    }
    return wasm_i64x2_shuffle(wasm_i32x4_relaxed_trunc_f64x2_zero(low), wasm_i32x4_relaxed_trunc_f64x2_zero(high), 0, 2);
}

/* Eight sums, bias included → eight bytes in the lower half. */
INLINE v128_t requantize(v128_t low_sums, v128_t high_sums, const struct Channels *channels, struct Range range,
                         int rectified) {
    v128_t shift = wasm_i32x4_splat(range.zero - BIAS);
    v128_t a = wasm_i32x4_add(scale_sums(low_sums, channels, 0, rectified), shift);
    v128_t b = wasm_i32x4_add(scale_sums(high_sums, channels, 4, rectified), shift);
    v128_t both = wasm_i16x8_narrow_i32x4(a, b);
    both = wasm_i16x8_min(wasm_i16x8_max(both, wasm_i16x8_splat(range.low)), wasm_i16x8_splat(range.high));
    return wasm_u8x16_narrow_i16x8(both, both);
}

#endif
