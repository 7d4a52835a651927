/* The matrix product of 16-bit integers that qu8_gemm_4x8c2_dot16x2.c and qd16_f32_gemm_4x8c2_dot16x2.c share.
 * Tile: up to 4 rows × 8 output channels in 8 accumulators of 32 bits.
 * Packing: rows of `pairs` pairs of int16; weights [pairs][8][2] int16, an odd K filled up with zero.
 * Bounds: the sums must fit 32 bits; the caller, who quantises, must ensure that. */
#ifndef KERNELS_TILE_4X8C2_DOT16X2_H
#define KERNELS_TILE_4X8C2_DOT16X2_H

#include "common.h"

/* Steps of the product that are unrolled. */
#define TILE_STEPS 8

INLINE void multiply_add(v128_t *sum, const int16_t *pair, v128_t w0, v128_t w1) {
    const v128_t x = wasm_v128_load32_splat(pair);
    sum[0] = wasm_i32x4_add(sum[0], wasm_i32x4_dot_i16x8(x, w0));
    sum[1] = wasm_i32x4_add(sum[1], wasm_i32x4_dot_i16x8(x, w1));
    OPAQUE(sum[0]);
    OPAQUE(sum[1]);
}

/* Adds the products of `rows` rows and eight output channels to sum[row][half]. */
INLINE void tile_i16(const int rows, v128_t sum[TILE_ROWS][2], const int16_t *a, const int16_t *w, int32_t pairs) {
    const int16_t *row[TILE_ROWS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        row[r] = a + 2 * r * pairs;
        OPAQUE(row[r]);
    }
    int32_t k = pairs;
    NO_UNROLL
    for (; k >= TILE_STEPS; k -= TILE_STEPS) {
        UNROLL
        for (int u = 0; u < TILE_STEPS; u++) {
            v128_t w0 = wasm_v128_load(w + 16 * u), w1 = wasm_v128_load(w + 16 * u + 8);
            OPAQUE(w0);
            OPAQUE(w1);
            UNROLL
            for (int r = 0; r < rows; r++) multiply_add(sum[r], row[r] + 2 * u, w0, w1);
        }
        w += 16 * TILE_STEPS;
        OPAQUE(w);
        UNROLL
        for (int r = 0; r < rows; r++) {
            row[r] += 2 * TILE_STEPS;
            OPAQUE(row[r]);
        }
    }
    NO_UNROLL
    for (; k > 0; k--, w += 16) {
        const v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 8);
        UNROLL
        for (int r = 0; r < rows; r++, row[r - 1] += 2) multiply_add(sum[r], row[r], w0, w1);
    }
}

#endif
