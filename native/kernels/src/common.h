/* What every kernel shares: vectors, inlining, partial stores. Kernels have no static data and no stack in memory, so
 * that they can live in any WebAssembly memory; build.py checks that. */
#ifndef KERNELS_COMMON_H
#define KERNELS_COMMON_H

#include <stdint.h>
#include <wasm_simd128.h>

#include "layouts.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define NO_UNROLL _Pragma("clang loop unroll(disable)")

/* Keeps a value in a register of its own at this point. For pointers: otherwise the compiler addresses all rows of a
 * tile by one shared index, which costs an addition for each load. For sums: otherwise the compiler computes the steps
 * of an unrolled loop sum by sum, so that the operands of all steps are live at once and the engine runs out of
 * registers. */
#ifndef OPAQUE /* sanitize.py has no use for it */
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))
#endif

INLINE int32_t min_i32(int32_t a, int32_t b) { return a < b ? a : b; }
INLINE int32_t max_i32(int32_t a, int32_t b) { return a > b ? a : b; }

/* A clamp in two instructions on x86; min and max would need more, to treat NaN and the sign of zero. */
INLINE v128_t clamp_f32(v128_t x, v128_t low, v128_t high) { return wasm_f32x4_pmin(wasm_f32x4_pmax(x, low), high); }

/* Stores the first `count` (1..4) f32 values of a vector. */
INLINE void store_f32(float *to, v128_t x, int32_t count) {
    if (count >= 4) {
        wasm_v128_store(to, x);
        return;
    }
    wasm_v128_store32_lane(to, x, 0);
    if (count > 1) wasm_v128_store32_lane(to + 1, x, 1);
    if (count > 2) wasm_v128_store32_lane(to + 2, x, 2);
}

/* Stores the first `count` (1..8) bytes of a vector. */
INLINE void store_u8(uint8_t *to, v128_t x, int32_t count) {
    if (count >= 8) {
        wasm_v128_store64_lane(to, x, 0);
        return;
    }
    uint64_t bits = (uint64_t)wasm_i64x2_extract_lane(x, 0);
    NO_UNROLL
    for (int32_t i = 0; i < count; i++, bits >>= 8) to[i] = (uint8_t)bits;
}

#endif
