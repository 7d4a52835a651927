/* Sums, differences and products, and of floats more, of two tensors of `size` values, of which the second may be
 * shorter. It has `period` values and repeats, so that 1 is a scalar and the number of channels a value for each
 * channel; and each of its values goes with `run` of the first in a row, so that the number of channels is a value for
 * each pixel.
 * Tile: one vector, the rest of a period or run one by one. No packing. Bounds: period · run divides size.
 *
 * TFLite scales bytes to integers with SUM_SHIFT more bits, each rounded, adds, and rounds the sum to a byte. Sums and
 * differences are computed in floats first, as requantize.h has it: a · a_factor + b · b_factor + offset, which has 256
 * and a half more than the byte, and SUM_ERROR steps. It is less than these off if |a_factor| + |b_factor| ≤ 2 and the
 * sum's shift is 17 or more, which who sets `in_f32` sees to: both factors being rounded 1 step, the offset, the inner
 * sum and its product 2.5, the outer ones 1, TFLite's own roundings 0.75.
 *
 * Products are computed in f32 first, too, by the factors of requantize.h: M is a_factor, N is b_factor. Who sets `in_f32`
 * sees to a shift of 0 or more. */
#include "common.h"
#include "requantize.h"

INLINE v128_t combine(v128_t a, v128_t b, int32_t operation) {
    switch (operation) {
        case ELEMENTWISE_ADD: return wasm_f32x4_add(a, b);
        case ELEMENTWISE_SUBTRACT: return wasm_f32x4_sub(a, b);
        case ELEMENTWISE_MULTIPLY: return wasm_f32x4_mul(a, b);
        case ELEMENTWISE_SUBTRACT_FROM: return wasm_f32x4_sub(b, a);
        case ELEMENTWISE_DIVIDE: return wasm_f32x4_div(a, b);
        case ELEMENTWISE_DIVIDE_INTO: return wasm_f32x4_div(b, a);
        case ELEMENTWISE_MAXIMUM: return wasm_f32x4_pmax(a, b);
        case ELEMENTWISE_MINIMUM: return wasm_f32x4_pmin(a, b);
        case ELEMENTWISE_SQUARED_DIFFERENCE: return wasm_f32x4_mul(wasm_f32x4_sub(a, b), wasm_f32x4_sub(a, b));
        default: /* ELEMENTWISE_PRELU */
            return wasm_v128_bitselect(a, wasm_f32x4_mul(a, b), wasm_f32x4_gt(a, wasm_f32x4_splat(0)));
    }
}

EXPORT(f32_vbinary) void f32_vbinary(const struct Elementwise *s) {
    const float *a = (const float *)s->a;
    float *to = (float *)s->output;
    const v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    for (int32_t start = 0; start < s->size && s->run > 1; start += s->period * s->run) {
        for (int32_t j = 0; j < s->period; j++) {
            const v128_t b = wasm_v128_load32_splat((const float *)s->b + j);
            for (int32_t i = 0; i < s->run; i += 4) {
                const int32_t count = min_i32(4, s->run - i);
                store_f32(to, clamp_f32(combine(wasm_v128_load(a), b, s->operation), low, high), count);
                a += count, to += count;
            }
        }
    }
    for (int32_t start = 0; start < s->size && s->run == 1; start += s->period) {
        const float *b = (const float *)s->b;
        int32_t i = 0;
        for (; i + 4 <= s->period; i += 4, a += 4, to += 4) {
            wasm_v128_store(to, clamp_f32(combine(wasm_v128_load(a), wasm_v128_load(b + i), s->operation), low, high));
        }
        for (; i < s->period; i++, a++, to++) {
            v128_t y = combine(wasm_v128_load32_splat(a), wasm_v128_load32_splat(b + i), s->operation);
            wasm_v128_store32_lane(to, clamp_f32(y, low, high), 0);
        }
    }
}

/* TFLite's MultiplyByQuantizedMultiplier of four values, with its two roundings; see requantize.h. `shift` is to the
 * right; to the left if it is negative. */
INLINE v128_t multiply(v128_t x, int32_t multiplier, int32_t shift) {
    const v128_t nudge = wasm_i64x2_splat(1 << 30), m = wasm_i32x4_splat(multiplier);
    if (shift < 0) x = wasm_i32x4_shl(x, -shift), shift = 0;
    const v128_t low = wasm_u64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(x, m), nudge), 31);
    const v128_t high = wasm_u64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_high_i32x4(x, m), nudge), 31);
    const v128_t r = wasm_i32x4_shuffle(low, high, 0, 2, 4, 6);
    if (shift == 0) return r;
    /* Halves away from zero: one less than a half is added where r is negative. */
    const v128_t half = wasm_i32x4_add(wasm_i32x4_splat(1 << (shift - 1)), wasm_i32x4_shr(r, 31));
    return wasm_i32x4_shr(wasm_i32x4_add(r, half), shift);
}

INLINE v128_t combine_u8(const struct Elementwise *s, v128_t a, v128_t b) {
    if (s->operation == ELEMENTWISE_MULTIPLY) return multiply(wasm_i32x4_mul(a, b), s->out_multiplier, s->out_shift);
    a = multiply(wasm_i32x4_shl(a, SUM_SHIFT), s->a_multiplier, s->a_shift);
    b = multiply(wasm_i32x4_shl(b, SUM_SHIFT), s->b_multiplier, s->b_shift);
    const v128_t sum = s->operation == ELEMENTWISE_ADD        ? wasm_i32x4_add(a, b)
                       : s->operation == ELEMENTWISE_SUBTRACT ? wasm_i32x4_sub(a, b)
                                                              : wasm_i32x4_sub(b, a);
    return multiply(sum, s->out_multiplier, s->out_shift);
}

/* Eight bytes of each, as 16-bit integers → eight bytes in the lower half. */
static __attribute__((noinline)) v128_t combine_exactly(const struct Elementwise *s, v128_t a, v128_t b) {
    a = wasm_i16x8_sub(a, wasm_i16x8_splat(s->a_zero));
    b = wasm_i16x8_sub(b, wasm_i16x8_splat(s->b_zero));
    const v128_t low = combine_u8(s, wasm_i32x4_extend_low_i16x8(a), wasm_i32x4_extend_low_i16x8(b));
    const v128_t high = combine_u8(s, wasm_i32x4_extend_high_i16x8(a), wasm_i32x4_extend_high_i16x8(b));
    const v128_t zero = wasm_i32x4_splat(s->range.zero);
    v128_t both = wasm_i16x8_narrow_i32x4(wasm_i32x4_add(low, zero), wasm_i32x4_add(high, zero));
    both = wasm_i16x8_min(wasm_i16x8_max(both, wasm_i16x8_splat(s->range.low)), wasm_i16x8_splat(s->range.high));
    return wasm_u8x16_narrow_i16x8(both, both);
}

/* What sums in floats need, out of memory. */
struct Summands {
    v128_t a, b, offset;
    struct Clamp clamp;
};

INLINE v128_t sum_in_f32(v128_t a, v128_t b, struct Summands factors, v128_t *margin) {
    const v128_t inner = wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(b), factors.b, factors.offset);
    return take_whole(wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(a), factors.a, inner), margin);
}

/* Four products → as take_whole. */
INLINE v128_t scale_products(v128_t products, struct Summands factors, v128_t *margin) {
    return scale_by(products, (struct Factors){factors.a, factors.offset, factors.b}, 1, margin);
}

/* As combine_exactly. */
INLINE v128_t vector_u8(const struct Elementwise *s, struct Summands factors, int32_t in_f32, v128_t a, v128_t b) {
    if (in_f32 && s->operation == ELEMENTWISE_MULTIPLY) {
        const v128_t x = wasm_i16x8_sub(a, wasm_i16x8_splat(s->a_zero));
        const v128_t y = wasm_i16x8_sub(b, wasm_i16x8_splat(s->b_zero));
        v128_t margin = full_margin();
        const v128_t low = scale_products(wasm_i32x4_extmul_low_i16x8(x, y), factors, &margin);
        const v128_t high = scale_products(wasm_i32x4_extmul_high_i16x8(x, y), factors, &margin);
        if (!is_uncertain(margin)) {
            const v128_t both = join_whole(low, high, factors.clamp);
            return join_bytes(both, both, factors.clamp);
        }
    } else if (in_f32) {
        v128_t margin = full_margin();
        const v128_t low = sum_in_f32(wasm_u32x4_extend_low_u16x8(a), wasm_u32x4_extend_low_u16x8(b), factors, &margin);
        const v128_t high = sum_in_f32(wasm_u32x4_extend_high_u16x8(a), wasm_u32x4_extend_high_u16x8(b), factors,
                                       &margin);
        if (!is_below(margin, 2 * SUM_ERROR + 1)) {
            const v128_t both = join_whole(low, high, factors.clamp);
            return join_bytes(both, both, factors.clamp);
        }
    }
    return combine_exactly(s, a, b);
}

EXPORT(qu8_vbinary) void qu8_vbinary(const struct Elementwise *s) {
    const uint8_t *a = s->a;
    uint8_t *to = s->output;
    const int32_t in_f32 = s->in_f32;
    const struct Summands factors = {wasm_f32x4_splat(s->a_factor), wasm_f32x4_splat(s->b_factor),
                                     wasm_f32x4_splat(s->offset),
                                     clamp_to((struct Range){0, s->range.low, s->range.high})};
    for (int32_t start = 0; start < s->size && s->run > 1; start += s->period * s->run) {
        for (int32_t j = 0; j < s->period; j++) {
            const v128_t b = wasm_i16x8_splat(s->b[j]);
            for (int32_t i = 0; i < s->run; i += 8) {
                const int32_t count = min_i32(8, s->run - i);
                store_u8(to, vector_u8(s, factors, in_f32, wasm_u16x8_load8x8(a), b), count);
                a += count, to += count;
            }
        }
    }
    for (int32_t start = 0; start < s->size && s->run == 1; start += s->period) {
        const uint8_t *b = s->b;
        /* What is read behind the end of the period is computed and not stored. */
        for (int32_t i = 0; i < s->period; i += 8) {
            const int32_t count = min_i32(8, s->period - i);
            store_u8(to, vector_u8(s, factors, in_f32, wasm_u16x8_load8x8(a), wasm_u16x8_load8x8(b + i)), count);
            a += count, to += count;
        }
    }
}
