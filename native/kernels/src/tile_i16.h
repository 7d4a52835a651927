/* The matrix product of 16-bit integers that conv_u8_wide.c and conv_f32_i16.c share.
 * Tile: up to 5 rows × 8 columns in 10 accumulators of 32 bits.
 * Packing: rows of `pairs` pairs of int16; weights [pairs][8][2] int16, an odd depth filled up with zero.
 * Bounds: the sums must fit 32 bits, which who quantises has to see to. */
#ifndef KERNELS_TILE_I16_H
#define KERNELS_TILE_I16_H

#include "common.h"

#ifndef TILE_ROWS
#define TILE_ROWS 5
#endif

INLINE void multiply_add(v128_t *sum, v128_t x, const int16_t *w) {
    sum[0] = wasm_i32x4_add(sum[0], wasm_i32x4_dot_i16x8(x, wasm_v128_load(w)));
    sum[1] = wasm_i32x4_add(sum[1], wasm_i32x4_dot_i16x8(x, wasm_v128_load(w + 8)));
}

/* Adds the products of `rows` rows and eight columns to sum[row][half]. */
INLINE void tile_i16(const int rows, v128_t sum[TILE_ROWS][2], const int16_t *a, const int16_t *w, int32_t pairs) {
    const int16_t *row[TILE_ROWS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        row[r] = a + 2 * r * pairs;
        OPAQUE(row[r]);
    }
    int32_t k = pairs;
    NO_UNROLL
    for (; k >= 4; k -= 4) {
        UNROLL
        for (int u = 0; u < 4; u++) {
            UNROLL
            for (int r = 0; r < rows; r++) multiply_add(sum[r], wasm_v128_load32_splat(row[r] + 2 * u), w + 16 * u);
        }
        w += 64;
        UNROLL
        for (int r = 0; r < rows; r++) {
            row[r] += 8;
            OPAQUE(row[r]);
        }
    }
    NO_UNROLL
    for (; k > 0; k--, w += 16) {
        UNROLL
        for (int r = 0; r < rows; r++, row[r - 1] += 2) multiply_add(sum[r], wasm_v128_load32_splat(row[r]), w);
    }
}

#endif
