/* Sums of a quantised operator → bytes, as TensorFlow Lite's MultiplyByQuantizedMultiplier followed by a clamp.
 *
 * TFLite rounds twice: r = (x·m + 2^30) >> 31, then r / 2^e to the nearest, halves away from zero (m: 31 bits, e ≥ 0).
 * Nested floors are one floor, so that both are floor(x·M + C) for x ≥ 0 and floor(x·M + C − N) for x < 0, where
 *     M = m · 2^−(31+e)      C = 1/2 + 2^−(e+1) (1/2 if e = 0)      N = 2^−e (0 if e = 0, or if halves go up).
 *
 * `requantize` computes that in f32 and adds 256. Results that become a byte then lie in 256..512, where an f32 is a
 * multiple of a step of 2^−15, and are less than 5 steps off: 3 from the product, because M, x and the product are
 * rounded, and half a step each from the sum, C and N. C has 5 steps more, so that results are too large by 0 to 10 steps.
 * So the floor is correct unless the fraction is below UNCERTAIN, which holds for one value in 3000. A tile collects the
 * least fraction of its results, its margin. If that is too small, `requantize_exactly` computes the tile again in f64,
 * which is exact as long as |x| < 2^22 and e ≤ 11, and beyond that wrong for one value in a million or less.
 */
#ifndef KERNELS_REQUANTIZE_H
#define KERNELS_REQUANTIZE_H

#include "common.h"

/* In steps of 2^−15, the last bit of an f32 in 256..512. */
#define UNCERTAIN 11

/* A range as `requantize` wants it. */
struct Clamp {
    v128_t zero, low, high;
    v128_t base; /* eight times 256 */
};

INLINE struct Clamp clamp_to(struct Range range) {
    v128_t base = wasm_i16x8_splat(REQUANTIZE_BASE);
    /* Opaque: otherwise the compiler makes it again for each tile. */
    OPAQUE(base);
    return (struct Clamp){wasm_f32x4_splat((float)range.zero), wasm_u8x16_splat(range.low),
                          wasm_u8x16_splat(range.high), base};
}

/* Four f32 values, each 256 more than a byte → their whole parts. `margin` has the least fraction so far, in the lower half
 * of each lane, doubled, which pushes the byte's last bit out of it. The fraction of a value beyond a byte has no
 * meaning. */
INLINE v128_t take_whole(v128_t scaled, v128_t *margin) {
    /* Opaque: otherwise the compiler shifts, which takes the port of the multiplications. */
    v128_t again = scaled;
    OPAQUE(again);
    *margin = wasm_u16x8_min(*margin, wasm_i16x8_add(scaled, again));
    OPAQUE(*margin);
    return wasm_i32x4_relaxed_trunc_f32x4(scaled);
}

/* Eight whole parts → the bytes as 16-bit integers, not clamped. */
INLINE v128_t join_whole(v128_t a, v128_t b, struct Clamp clamp) {
    return wasm_i16x8_sub_sat(wasm_i16x8_narrow_i32x4(a, b), clamp.base);
}

/* Sixteen 16-bit integers → bytes, clamped. */
INLINE v128_t join_bytes(v128_t a, v128_t b, struct Clamp clamp) {
    return wasm_u8x16_min(wasm_u8x16_max(wasm_u8x16_narrow_i16x8(a, b), clamp.low), clamp.high);
}

/* What `requantize` needs of four channels. */
struct Factors {
    v128_t multiplier, offset, negative;
};

INLINE struct Factors factors_of(const struct Channels *channels, int first, struct Clamp clamp) {
    return (struct Factors){wasm_v128_load(channels->multiplier + first),
                            wasm_f32x4_add(wasm_v128_load(channels->offset + first), clamp.zero),
                            wasm_v128_load(channels->negative + first)};
}

/* Four sums → their scaled whole parts, as take_whole returns them. */
INLINE v128_t scale_by(v128_t sums, struct Factors factors, int signs, v128_t *margin) {
    v128_t offset = factors.offset;
    if (signs) offset = wasm_f32x4_sub(offset, wasm_v128_and(wasm_i32x4_shr(sums, 31), factors.negative));
    return take_whole(wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(sums), factors.multiplier, offset), margin);
}

INLINE v128_t scale_sums(v128_t sums, const struct Channels *channels, int first, struct Clamp clamp, int signs,
                         v128_t *margin) {
    return scale_by(sums, factors_of(channels, first, clamp), signs, margin);
}

/* The margin of no results yet. */
INLINE v128_t full_margin(void) { return wasm_i32x4_splat(-1); }

/* Whether any fraction is below so many steps. */
INLINE int is_below(v128_t margin, const uint32_t steps) {
    const v128_t missing = wasm_u16x8_sub_sat(wasm_i16x8_splat(2 * steps), margin);
    return __builtin_expect(wasm_v128_any_true(wasm_v128_and(missing, wasm_i32x4_splat(0xffff))), 0);
}

INLINE int is_uncertain(v128_t margin) { return is_below(margin, UNCERTAIN); }

/* Eight sums, bias included → eight bytes in the lower half. */
INLINE v128_t requantize(v128_t low_sums, v128_t high_sums, const struct Channels *channels, struct Clamp clamp,
                         int signs, v128_t *margin) {
    const v128_t a = scale_sums(low_sums, channels, 0, clamp, signs, margin);
    const v128_t b = scale_sums(high_sums, channels, 4, clamp, signs, margin);
    const v128_t both = join_whole(a, b, clamp);
    return join_bytes(both, both, clamp);
}

INLINE v128_t scale_pair(v128_t sums, v128_t signs, const struct Channels *channels, int first) {
    const v128_t scaled = wasm_f64x2_relaxed_madd(wasm_f64x2_convert_low_i32x4(sums),
                                                  wasm_v128_load(channels->exact_multiplier + first),
                                                  wasm_v128_load(channels->exact_offset + first));
    /* The signs are −1 where a sum is negative. */
    return wasm_f64x2_relaxed_madd(wasm_f64x2_convert_low_i32x4(signs),
                                   wasm_v128_load(channels->exact_negative + first), scaled);
}

/* Four sums → four bytes as 32-bit integers. */
static __attribute__((noinline, unused)) v128_t scale_exactly(v128_t sums, const struct Channels *channels, int first,
                                                              const struct Range *range) {
    const v128_t signs = wasm_i32x4_shr(sums, 31);
    const v128_t low = scale_pair(sums, signs, channels, first);
    const v128_t high = scale_pair(wasm_i64x2_shuffle(sums, sums, 1, 1), wasm_i64x2_shuffle(signs, signs, 1, 1),
                                   channels, first + 2);
    const v128_t scaled = wasm_i64x2_shuffle(wasm_i32x4_relaxed_trunc_f64x2_zero(low),
                                             wasm_i32x4_relaxed_trunc_f64x2_zero(high), 0, 2);
    return wasm_i32x4_min(wasm_i32x4_max(wasm_i32x4_add(scaled, wasm_i32x4_splat(range->zero - REQUANTIZE_BIAS)),
                                         wasm_i32x4_splat(range->low)),
                          wasm_i32x4_splat(range->high));
}

/* As requantize. */
INLINE v128_t requantize_exactly(v128_t low_sums, v128_t high_sums, const struct Channels *channels,
                                 const struct Range *range) {
    const v128_t both = wasm_i16x8_narrow_i32x4(scale_exactly(low_sums, channels, 0, range),
                                                scale_exactly(high_sums, channels, 4, range));
    return wasm_u8x16_narrow_i16x8(both, both);
}

#endif
