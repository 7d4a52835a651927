/* The intrinsics of wasm's SIMD on other CPUs, by SIMDe, and of relaxed SIMD, with exact sums. */
#ifndef SANITIZED_KERNELS_WASM_SIMD128_H
#define SANITIZED_KERNELS_WASM_SIMD128_H

#include "../../../codecs/test/sanitized/wasm_simd128.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RELAXED static inline __attribute__((unused))

/* Lanes in memory. */
union ShimLanes {
    int8_t i8[16];
    uint8_t u8[16];
    int16_t i16[8];
    int32_t i32[4];
    float f32[4];
    double f64[2];
};

RELAXED union ShimLanes shim_lanes(v128_t x) {
    union ShimLanes lanes;
    memcpy(&lanes, &x, sizeof lanes);
    return lanes;
}

RELAXED v128_t shim_vector(union ShimLanes lanes) {
    v128_t x;
    memcpy(&x, &lanes, sizeof lanes);
    return x;
}

/* FUSES: engines fuse it on this CPU. */
#ifdef FUSES
#define MADD_F32 fmaf
#define MADD_F64 fma
#else
#define MADD_F32(a, b, c) ((a) * (b) + (c))
#define MADD_F64(a, b, c) ((a) * (b) + (c))
#endif

RELAXED v128_t wasm_f32x4_relaxed_madd(v128_t a, v128_t b, v128_t c) {
    const union ShimLanes x = shim_lanes(a), y = shim_lanes(b);
    union ShimLanes sum = shim_lanes(c);
    for (int i = 0; i < 4; i++) sum.f32[i] = MADD_F32(x.f32[i], y.f32[i], sum.f32[i]);
    return shim_vector(sum);
}

RELAXED v128_t wasm_f64x2_relaxed_madd(v128_t a, v128_t b, v128_t c) {
    const union ShimLanes x = shim_lanes(a), y = shim_lanes(b);
    union ShimLanes sum = shim_lanes(c);
    for (int i = 0; i < 2; i++) sum.f64[i] = MADD_F64(x.f64[i], y.f64[i], sum.f64[i]);
    return shim_vector(sum);
}

/* The second operand is unsigned, which kernels rely on where `usdot2_is_exact` says so; sums saturate as on x86. */
RELAXED v128_t wasm_i16x8_relaxed_dot_i8x16_i7x16(v128_t a, v128_t b) {
    const union ShimLanes x = shim_lanes(a), y = shim_lanes(b);
    union ShimLanes sum;
    for (int i = 0; i < 8; i++) {
        const int32_t exact = x.i8[2 * i] * y.u8[2 * i] + x.i8[2 * i + 1] * y.u8[2 * i + 1];
        sum.i16[i] = exact > INT16_MAX ? INT16_MAX : exact < INT16_MIN ? INT16_MIN : exact;
    }
    return shim_vector(sum);
}

/* Exact, as where `usdot_is_exact` says so. With SIGNED_DOT in the environment the second operand is signed and pairs are
 * added in 16 bits, as on ARM without its dot product. */
RELAXED v128_t wasm_i32x4_relaxed_dot_i8x16_i7x16_add(v128_t a, v128_t b, v128_t c) {
    const union ShimLanes x = shim_lanes(a), y = shim_lanes(b);
    union ShimLanes sum = shim_lanes(c);
    for (int i = 0; i < 16; i += 2) {
        if (getenv("SIGNED_DOT")) sum.i32[i / 4] += (int16_t)(x.i8[i] * y.i8[i] + x.i8[i + 1] * y.i8[i + 1]);
        else sum.i32[i / 4] += x.i8[i] * y.u8[i] + x.i8[i + 1] * y.u8[i + 1];
    }
    return shim_vector(sum);
}

/* What does not fit is the smallest integer, as on x86. */
RELAXED int32_t shim_truncate(double x) { return x >= -2147483648.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN; }

RELAXED v128_t wasm_i32x4_relaxed_trunc_f32x4(v128_t a) {
    const union ShimLanes x = shim_lanes(a);
    union ShimLanes whole;
    for (int i = 0; i < 4; i++) whole.i32[i] = shim_truncate(x.f32[i]);
    return shim_vector(whole);
}

RELAXED v128_t wasm_i32x4_relaxed_trunc_f64x2_zero(v128_t a) {
    const union ShimLanes x = shim_lanes(a);
    union ShimLanes whole = {{0}};
    for (int i = 0; i < 2; i++) whole.i32[i] = shim_truncate(x.f64[i]);
    return shim_vector(whole);
}

/* An index beyond the vector gives zero, as in wasm_i8x16_swizzle. */
RELAXED v128_t wasm_i8x16_relaxed_swizzle(v128_t a, v128_t b) { return wasm_i8x16_swizzle(a, b); }

#endif
