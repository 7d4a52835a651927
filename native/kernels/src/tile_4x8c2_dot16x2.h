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

/* Four times the pair of 16-bit values in a lane. */
INLINE v128_t splat_pair(v128_t x, const int lane) {
    if (lane == 0) x = wasm_i32x4_shuffle(x, x, 0, 0, 0, 0);
    else if (lane == 1) x = wasm_i32x4_shuffle(x, x, 1, 1, 1, 1);
    else if (lane == 2) x = wasm_i32x4_shuffle(x, x, 2, 2, 2, 2);
    else x = wasm_i32x4_shuffle(x, x, 3, 3, 3, 3);
    OPAQUE(x);
    return x;
}

/* Of x: pairs that are all alike; of w: those of four output channels. */
INLINE void add_apart(v128_t sum[2], v128_t x, v128_t w) {
    sum[0] = wasm_i32x4_add(sum[0], wasm_i32x4_extmul_low_i16x8(x, w));
    OPAQUE(sum[0]);
    sum[1] = wasm_i32x4_add(sum[1], wasm_i32x4_extmul_high_i16x8(x, w));
    OPAQUE(sum[1]);
}

/* As many of `pairs` as make fours, with the sums of even and of odd values along K apart, a channel's two side by side.
 * Moves `w` and the rows on. @return The pairs that are left. */
INLINE int32_t add_fours_apart(const int rows, v128_t sum[TILE_ROWS][2], const int16_t *row[TILE_ROWS],
                               const int16_t **w, int32_t pairs) {
    v128_t apart[TILE_ROWS][2][2];
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int half = 0; half < 2; half++) apart[r][half][0] = apart[r][half][1] = wasm_i32x4_splat(0);
    }
    NO_UNROLL
    for (; pairs >= 4; pairs -= 4) {
        v128_t x[TILE_ROWS];
        UNROLL
        for (int r = 0; r < rows; r++) {
            x[r] = wasm_v128_load(row[r]);
            OPAQUE(x[r]);
        }
        UNROLL
        for (int u = 0; u < 4; u++) {
            v128_t w0 = wasm_v128_load(*w + 16 * u), w1 = wasm_v128_load(*w + 16 * u + 8);
            OPAQUE(w0);
            OPAQUE(w1);
            UNROLL
            for (int r = 0; r < rows; r++) {
                const v128_t pair = splat_pair(x[r], u);
                add_apart(apart[r][0], pair, w0);
                add_apart(apart[r][1], pair, w1);
            }
        }
        *w += 16 * 4;
        OPAQUE(*w);
        UNROLL
        for (int r = 0; r < rows; r++) {
            row[r] += 2 * 4;
            OPAQUE(row[r]);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int half = 0; half < 2; half++) {
            const v128_t low = apart[r][half][0], high = apart[r][half][1];
            const v128_t even = wasm_i32x4_shuffle(low, high, 0, 2, 4, 6);
            const v128_t odd = wasm_i32x4_shuffle(low, high, 1, 3, 5, 7);
            sum[r][half] = wasm_i32x4_add(sum[r][half], wasm_i32x4_add(even, odd));
        }
    }
    return pairs;
}

/* Adds the products of `rows` rows and eight output channels to sum[row][half]. */
INLINE void tile_i16(const int apart, const int rows, v128_t sum[TILE_ROWS][2], const int16_t *a, const int16_t *w,
                     int32_t pairs) {
    const int16_t *row[TILE_ROWS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        row[r] = a + 2 * r * pairs;
        OPAQUE(row[r]);
    }
    int32_t k = apart ? add_fours_apart(rows, sum, row, &w, pairs) : pairs;
    NO_UNROLL
    for (; !apart && k >= TILE_STEPS; k -= TILE_STEPS) {
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
