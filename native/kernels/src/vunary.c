/* Functions of one float: activations that are no clamp, roots, and the logarithm.
 * Tile: 4 values; tensors are read and written up to 3 values beyond their end, for which their slack of 32 bytes is.
 * Errors: of exponentials and what is made of them below 3e-7 of the result, of the error function's complement 5e-7, of
 * the logarithm 2e-7. */
#include "common.h"

INLINE v128_t splat(float x) { return wasm_f32x4_splat(x); }
INLINE v128_t add(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }
INLINE v128_t mul(v128_t a, v128_t b) { return wasm_f32x4_mul(a, b); }
/* a · b + c */
INLINE v128_t madd(v128_t a, v128_t b, v128_t c) { return wasm_f32x4_relaxed_madd(a, b, c); }
INLINE v128_t divide(v128_t a, v128_t b) { return wasm_f32x4_div(a, b); }

/* e^x = power + power · rest: 2^n, and e^r − 1 for the r that is left, at most ln 2 / 2 from zero. */
struct Exponential {
    v128_t power, rest;
};

/* Of x from −87 to 88; others count as these. Cody and Waite's two parts of ln 2, and a polynomial as in Cephes' expf. */
INLINE struct Exponential exponential(v128_t x) {
    x = clamp_f32(x, splat(-87), splat(88));
    const v128_t n = wasm_f32x4_nearest(mul(x, splat(1.44269504f)));
    const v128_t r = madd(n, splat(2.12194440e-4f), madd(n, splat(-0.693359375f), x));
    v128_t p = madd(splat(1.9875691500e-4f), r, splat(1.3981999507e-3f));
    p = madd(p, r, splat(8.3334519073e-3f));
    p = madd(p, r, splat(4.1665795894e-2f));
    p = madd(p, r, splat(1.6666665459e-1f));
    p = madd(p, r, splat(5.0000001201e-1f));
    const v128_t exponent = wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_splat(127));
    return (struct Exponential){wasm_i32x4_shl(exponent, 23), madd(mul(r, r), p, r)};
}

INLINE v128_t exp_of(v128_t x) {
    const struct Exponential e = exponential(x);
    return madd(e.power, e.rest, e.power);
}

/* e^x − 1, exact near zero, too. */
INLINE v128_t exp_less_one(v128_t x) {
    const struct Exponential e = exponential(x);
    return madd(e.power, e.rest, add(e.power, splat(-1)));
}

INLINE v128_t logistic(v128_t x) { return divide(splat(1), add(splat(1), exp_of(wasm_f32x4_neg(x)))); }

/* By e^(−2|x|) − 1, which does not overflow. */
INLINE v128_t tanh_of(v128_t x) {
    const v128_t e = exp_less_one(mul(wasm_f32x4_abs(x), splat(-2)));
    const v128_t magnitude = divide(wasm_f32x4_neg(e), add(e, splat(2)));
    return wasm_v128_bitselect(x, magnitude, wasm_i32x4_splat(INT32_MIN));
}

/* The first where x is above zero, else the second. */
INLINE v128_t if_above_zero(v128_t x, v128_t above, v128_t below) {
    return wasm_v128_bitselect(above, below, wasm_f32x4_gt(x, splat(0)));
}

/* x times the normal distribution below x: x less, or for negative x is, the share of one tail, x · erfc(|x| / √2) / 2.
 * erfc by Chebyshev's approximation in Numerical Recipes, erfcc, which is as near for small results. */
INLINE v128_t gelu(v128_t x) {
    const v128_t z = mul(wasm_f32x4_abs(x), splat(0.70710678f));
    const v128_t t = divide(splat(1), madd(z, splat(0.5f), splat(1)));
    v128_t p = madd(splat(0.17087277f), t, splat(-0.82215223f));
    p = madd(p, t, splat(1.48851587f));
    p = madd(p, t, splat(-1.13520398f));
    p = madd(p, t, splat(0.27886807f));
    p = madd(p, t, splat(-0.18628806f));
    p = madd(p, t, splat(0.09678418f));
    p = madd(p, t, splat(0.37409196f));
    p = madd(p, t, splat(1.00002368f));
    p = madd(p, t, splat(-1.26551223f));
    const v128_t tail = mul(mul(mul(x, splat(0.5f)), t), exp_of(wasm_f32x4_sub(p, mul(z, z))));
    return if_above_zero(x, wasm_f32x4_sub(x, tail), tail);
}

/* x · (1 + tanh u) / 2 = x / (1 + e^(−2u)), with u = √(2/π) · (x + 0.044715 x³). */
INLINE v128_t gelu_by_tanh(v128_t x) {
    const v128_t u = mul(x, madd(mul(x, x), splat(0.044715f), splat(1)));
    return mul(x, logistic(mul(u, splat(1.59576912f))));
}

/* ln (m · 2^n) = ln m + n · ln 2, with m from √½ to √2: Cephes' logf. Subnormal numbers are taken times 2^23. */
INLINE v128_t log_of(v128_t x) {
    const v128_t subnormal = wasm_f32x4_lt(x, splat(1.17549435e-38f));
    const v128_t normal = wasm_v128_bitselect(mul(x, splat(8388608)), x, subnormal);
    const v128_t n = wasm_i32x4_shr(wasm_i32x4_sub(normal, wasm_i32x4_splat(0x3f3504f3)), 23);
    const v128_t f = add(wasm_i32x4_sub(normal, wasm_i32x4_shl(n, 23)), splat(-1));
    const v128_t e = wasm_f32x4_convert_i32x4(wasm_i32x4_sub(n, wasm_v128_and(subnormal, wasm_i32x4_splat(23))));
    v128_t p = madd(splat(7.0376836292e-2f), f, splat(-1.1514610310e-1f));
    p = madd(p, f, splat(1.1676998740e-1f));
    p = madd(p, f, splat(-1.2420140846e-1f));
    p = madd(p, f, splat(1.4249322787e-1f));
    p = madd(p, f, splat(-1.6668057665e-1f));
    p = madd(p, f, splat(2.0000714765e-1f));
    p = madd(p, f, splat(-2.4999993993e-1f));
    p = madd(p, f, splat(3.3333331174e-1f));
    const v128_t square = mul(f, f);
    v128_t rest = mul(mul(p, f), square);
    rest = madd(e, splat(-2.12194440e-4f), rest);
    rest = madd(square, splat(-0.5f), rest);
    const v128_t result = madd(e, splat(0.693359375f), add(f, rest));
    /* Infinity stays, zero is minus infinity, and a negative number, or none, is none. */
    const v128_t finite = wasm_v128_bitselect(result, x, wasm_f32x4_lt(x, splat(__builtin_inff())));
    const v128_t at_zero = wasm_v128_bitselect(splat(-__builtin_inff()), finite, wasm_f32x4_eq(x, splat(0)));
    return wasm_v128_bitselect(at_zero, splat(__builtin_nanf("")), wasm_f32x4_ge(x, splat(0)));
}

#define FUNCTION(number, of_x) \
    case number: \
        for (int32_t i = 0; i < s->size; i += 4) { \
            const v128_t x = wasm_v128_load(from + i); \
            wasm_v128_store(to + i, of_x); \
        } \
        break;

EXPORT(f32_vunary) void f32_vunary(const struct Unary *s) {
    const float *from = s->input;
    float *to = s->output;
    const v128_t parameter = splat(s->parameter);
    switch (s->operation) {
        FUNCTION(UNARY_LOGISTIC, logistic(x))
        FUNCTION(UNARY_TANH, tanh_of(x))
        FUNCTION(UNARY_ELU, if_above_zero(x, x, exp_less_one(x)))
        FUNCTION(UNARY_GELU, gelu(x))
        FUNCTION(UNARY_GELU_APPROXIMATE, gelu_by_tanh(x))
        FUNCTION(UNARY_LEAKY_RELU, if_above_zero(x, x, mul(x, parameter)))
        FUNCTION(UNARY_EXP, exp_of(x))
        FUNCTION(UNARY_ABS, wasm_f32x4_abs(x))
        FUNCTION(UNARY_NEG, wasm_f32x4_neg(x))
        FUNCTION(UNARY_SQRT, wasm_f32x4_sqrt(x))
        FUNCTION(UNARY_RSQRT, divide(splat(1), wasm_f32x4_sqrt(x)))
        FUNCTION(UNARY_LOG, log_of(x))
        FUNCTION(UNARY_SWISH, mul(x, logistic(x)))
    }
}
