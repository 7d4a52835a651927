/* Convolution of floats.
 * Tile: 6 rows × 8 columns in 12 accumulators; the rest of the rows in tiles of 4 and 1.
 * Panel: bias[8], weights[depth][8], floats.
 * Bounds: any rows, depth and columns; multiply-add is fused where the CPU can. */
#include "conv.h"

INLINE void tile(const int rows, const float *a, const float *panel, const struct Conv *s, float *out, int32_t columns) {
    v128_t sum[6][2];
    const float *row[6];
    UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r][0] = wasm_v128_load(panel);
        sum[r][1] = wasm_v128_load(panel + 4);
        row[r] = a + r * s->depth;
        OPAQUE(row[r]);
    }
    const float *w = panel + 8;
    int32_t k = s->depth;
    NO_UNROLL
    for (; k >= 4; k -= 4) {
        UNROLL
        for (int u = 0; u < 4; u++) {
            v128_t w0 = wasm_v128_load(w + 8 * u), w1 = wasm_v128_load(w + 8 * u + 4);
            UNROLL
            for (int r = 0; r < rows; r++) {
                v128_t x = wasm_v128_load32_splat(row[r] + u);
                sum[r][0] = wasm_f32x4_relaxed_madd(x, w0, sum[r][0]);
                sum[r][1] = wasm_f32x4_relaxed_madd(x, w1, sum[r][1]);
                OPAQUE(sum[r][0]);
                OPAQUE(sum[r][1]);
            }
        }
        w += 32;
        OPAQUE(w);
        UNROLL
        for (int r = 0; r < rows; r++) {
            row[r] += 4;
            OPAQUE(row[r]);
        }
    }
    NO_UNROLL
    for (; k > 0; k--, w += 8) {
        v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 4);
        UNROLL
        for (int r = 0; r < rows; r++) {
            v128_t x = wasm_v128_load32_splat(row[r]++);
            sum[r][0] = wasm_f32x4_relaxed_madd(x, w0, sum[r][0]);
            sum[r][1] = wasm_f32x4_relaxed_madd(x, w1, sum[r][1]);
        }
    }
    v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    UNROLL
    for (int r = 0; r < rows; r++) {
        float *to = out + r * s->columns;
        store_f32(to, clamp_f32(sum[r][0], low, high), columns);
        if (columns > 4) store_f32(to + 4, clamp_f32(sum[r][1], low, high), columns - 4);
    }
}

EXPORT(conv_f32) void conv_f32(const struct Conv *s) {
    const int32_t panel_floats = 8 * (s->depth + 1);
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        const float *a = (const float *)matrix_rows(s, start, rows, 4);
        const float *panel = (const float *)s->weights;
        for (int32_t n = 0; n < s->columns; n += 8, panel += panel_floats) {
            const int32_t columns = min_i32(8, s->columns - n);
            const float *from = a;
            float *out = (float *)s->output + start * s->columns + n;
            int32_t m = rows;
            NO_UNROLL
            for (; m >= 6; m -= 6, from += 6 * s->depth, out += 6 * s->columns) tile(6, from, panel, s, out, columns);
            if (m >= 4) {
                tile(4, from, panel, s, out, columns);
                m -= 4, from += 4 * s->depth, out += 4 * s->columns;
            }
            NO_UNROLL
            for (; m > 0; m--, from += s->depth, out += s->columns) tile(1, from, panel, s, out, columns);
        }
    }
}
