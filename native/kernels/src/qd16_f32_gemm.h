/* What qd16_f32_gemm_4x8c2_dot16x2.c and qd16_f32_gemm_4x8c2_strassen.c share: rows of f32 as int16, their products
 * with panels, and the conversion of the sums. */
#ifndef KERNELS_QD16_F32_GEMM_H
#define KERNELS_QD16_F32_GEMM_H

#include "gemm.h"
#include "tile_4x8c2_dot16x2.h"

INLINE const int16_t *weights_of(const struct Head *panel) { return (const int16_t *)(panel + 1); }

INLINE const struct Head *panel_at(const struct Conv *s, int32_t index, int32_t pairs) {
    return (const struct Head *)(s->weights + index * (int32_t)(sizeof(struct Head) + 32 * pairs));
}

/* Each of `rows` rows by its own largest value; their steps go to `scales`. */
static void quantize_rows(const float *from, float *scales, int16_t *to, int32_t rows, int32_t reduction,
                          int32_t pairs) {
    for (int32_t r = 0; r < rows; r++, from += reduction, to += 2 * pairs) {
        int32_t k = 0;
        v128_t most = wasm_f32x4_splat(0), more = most;
        for (; k + 8 <= reduction; k += 8) {
            most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load(from + k)));
            more = wasm_f32x4_pmax(more, wasm_f32x4_abs(wasm_v128_load(from + k + 4)));
        }
        for (; k < reduction; k++) most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load32_splat(from + k)));
        most = wasm_f32x4_pmax(most, more);
        most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
        most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2));
        const float largest = wasm_f32x4_extract_lane(most, 0);
        scales[r] = largest / I16_STEPS;
        /* A row of zeros stays one; so does one too small for its inverse to be a number. */
        const v128_t factor = wasm_f32x4_splat(largest > 1e-30f ? I16_STEPS / largest : 0);
        /* What is read behind the row fills up the last pair, meets a weight of zero, and is saturated. */
        for (k = 0; k < reduction; k += 8) {
            v128_t a = wasm_f32x4_nearest(wasm_f32x4_mul(wasm_v128_load(from + k), factor));
            v128_t b = wasm_f32x4_nearest(wasm_f32x4_mul(wasm_v128_load(from + k + 4), factor));
            v128_t both = wasm_i16x8_narrow_i32x4(wasm_i32x4_relaxed_trunc_f32x4(a), wasm_i32x4_relaxed_trunc_f32x4(b));
            wasm_v128_store(to + k, both);
        }
    }
}

/* The first `out_channels` (1..8) of eight values that are at most `high`, as int16 within 0..high. */
INLINE void store_i16(uint8_t *to, v128_t low, v128_t high, int32_t out_channels) {
    v128_t both = wasm_u16x8_narrow_i32x4(wasm_i32x4_relaxed_trunc_f32x4(low), wasm_i32x4_relaxed_trunc_f32x4(high));
    if (out_channels == 8) {
        wasm_v128_store(to, both);
        return;
    }
    /* Two by two: they are even. */
    NO_UNROLL
    for (int32_t i = 0; i < out_channels; i += 2) {
        wasm_v128_store32_lane(to + 2 * i, both, 0);
        both = wasm_i32x4_shuffle(both, both, 1, 2, 3, 0);
    }
}

INLINE uint8_t *output_at(const struct Conv *s, int32_t row, int32_t channel) {
    return s->output + (row * s->out_channels + channel) * (s->int16_output ? 2 : 4);
}

/* Scales the sums of a tile, adds the bias, clamps and stores them. `scales` of the tile's rows. */
INLINE void finish(const int rows, v128_t sum[][2], const float *scales, int32_t scaled, const struct Head *panel,
                   const struct Conv *s, uint8_t *out, int32_t out_channels) {
    const v128_t high = wasm_f32x4_splat(s->high);
    UNROLL
    for (int half = 0; half < 2; half++) {
        const v128_t bias = wasm_v128_load(panel->bias + 4 * half);
        v128_t factor = wasm_v128_load(panel->scale + 4 * half);
        if (scaled) {
            UNROLL
            for (int r = 0; r < rows; r++) {
                const v128_t own = wasm_f32x4_mul(wasm_v128_load32_splat(scales + r), factor);
                sum[r][half] = wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(sum[r][half]), own, bias);
            }
        } else {
            factor = wasm_f32x4_mul(wasm_v128_load32_splat(scales), factor);
            UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r][half] = wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(sum[r][half]), factor, bias);
            }
        }
        UNROLL
        for (int r = 0; r < rows; r++) sum[r][half] = wasm_f32x4_pmin(sum[r][half], high);
    }
    if (s->int16_output) {
        UNROLL
        for (int r = 0; r < rows; r++) store_i16(out + 2 * r * s->out_channels, sum[r][0], sum[r][1], out_channels);
        return;
    }
    const v128_t low = wasm_f32x4_splat(s->low);
    UNROLL
    for (int r = 0; r < rows; r++) {
        float *to = (float *)out + r * s->out_channels;
        store_f32(to, wasm_f32x4_pmax(sum[r][0], low), out_channels);
        if (out_channels > 4) store_f32(to + 4, wasm_f32x4_pmax(sum[r][1], low), out_channels - 4);
    }
}

INLINE void tile(const int apart, const int rows, const int16_t *a, const float *scales, int32_t scaled,
                 const struct Head *panel, const struct Conv *s, int32_t pairs, uint8_t *out, int32_t out_channels) {
    v128_t sum[TILE_ROWS][2];
    UNROLL
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = wasm_i32x4_splat(0);
    tile_i16(apart, rows, sum, a, weights_of(panel), pairs);
    finish(rows, sum, scales, scaled, panel, s, out, out_channels);
}

/* Rows of int16 times all panels; the first of them is row `start` of the output. `scaled`: whether each row has a scale
 * of its own in `scales`; else they share the first. */
INLINE void multiply_rows_by(const int apart, const struct Conv *s, const int16_t *matrix, const float *scales,
                             int32_t scaled, int32_t start, int32_t rows) {
    const int32_t pairs = (s->reduction + 1) / 2;
    for (int32_t n = 0; n < s->out_channels; n += 8) {
        const struct Head *panel = panel_at(s, n / 8, pairs);
        const int32_t out_channels = min_i32(8, s->out_channels - n), step = output_at(s, 1, 0) - output_at(s, 0, 0);
        const int16_t *a = matrix;
        const float *scale = scales;
        uint8_t *out = output_at(s, start, n);
        int32_t m = rows;
        NO_UNROLL
        for (; m >= TILE_ROWS; m -= TILE_ROWS) {
            tile(apart, TILE_ROWS, a, scale, scaled, panel, s, pairs, out, out_channels);
            a += 2 * TILE_ROWS * pairs, out += TILE_ROWS * step;
            if (scaled) scale += TILE_ROWS;
        }
        NO_UNROLL
        for (; m > 0; m--, a += 2 * pairs, out += step) {
            tile(apart, 1, a, scale, scaled, panel, s, pairs, out, out_channels);
            if (scaled) scale++;
        }
    }
}

/* Functions of their own, since an engine that finds both in one runs out of registers. */
static __attribute__((noinline)) void multiply_rows_together(const struct Conv *s, const int16_t *matrix,
                                                             const float *scales, int32_t scaled, int32_t start,
                                                             int32_t rows) {
    multiply_rows_by(0, s, matrix, scales, scaled, start, rows);
}

static __attribute__((noinline)) void multiply_rows_apart(const struct Conv *s, const int16_t *matrix,
                                                          const float *scales, int32_t scaled, int32_t start,
                                                          int32_t rows) {
    multiply_rows_by(1, s, matrix, scales, scaled, start, rows);
}

INLINE void multiply_rows(const struct Conv *s, const int16_t *matrix, const float *scales, int32_t scaled,
                          int32_t start, int32_t rows) {
    if (s->apart) multiply_rows_apart(s, matrix, scales, scaled, start, rows);
    else multiply_rows_together(s, matrix, scales, scaled, start, rows);
}

#endif
