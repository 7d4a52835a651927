/* Convolution of f32.
 * Tile: 4 rows × 8 output channels in 8 accumulators; the remaining rows one by one.
 * Panel: bias[8], weights[K][8], f32.
 * Bounds: any number of rows and output channels and any K; multiply-add is fused if the CPU supports it. */
#include "gemm.h"

#define ROWS TILE_ROWS

/* One lane in all of them; `lane` is known when this is compiled. */
INLINE v128_t splat_lane(v128_t x, const int lane) {
    if (lane == 0) return wasm_i32x4_shuffle(x, x, 0, 0, 0, 0);
    if (lane == 1) return wasm_i32x4_shuffle(x, x, 1, 1, 1, 1);
    if (lane == 2) return wasm_i32x4_shuffle(x, x, 2, 2, 2, 2);
    return wasm_i32x4_shuffle(x, x, 3, 3, 3, 3);
}

/* Multiplies along `reduction` values of K, a multiple of 4. One load fetches four values of a row: V8 checks the bounds
 * of each load, which costs as much as a multiplication, and does not address a load32_splat at an offset in one
 * instruction. */
INLINE void multiply(const int rows, const int reduction, const float *row[ROWS], const float *w, v128_t sum[ROWS][2]) {
    UNROLL
    for (int k = 0; k < reduction; k += 4) {
        v128_t x[ROWS];
        UNROLL
        for (int r = 0; r < rows; r++) {
            x[r] = wasm_v128_load(row[r] + k);
            OPAQUE(x[r]);
        }
        UNROLL
        for (int u = 0; u < 4; u++) {
            const v128_t w0 = wasm_v128_load(w + 8 * (k + u)), w1 = wasm_v128_load(w + 8 * (k + u) + 4);
            UNROLL
            for (int r = 0; r < rows; r++) {
                const v128_t one = splat_lane(x[r], u);
                sum[r][0] = wasm_f32x4_relaxed_madd(one, w0, sum[r][0]);
                sum[r][1] = wasm_f32x4_relaxed_madd(one, w1, sum[r][1]);
                OPAQUE(sum[r][0]);
                OPAQUE(sum[r][1]);
            }
        }
    }
}

/* Moves all pointers on by `reduction` values of K. */
INLINE void advance(const int rows, const int reduction, const float *row[ROWS], const float **w) {
    *w += 8 * reduction;
    OPAQUE(*w);
    UNROLL
    for (int r = 0; r < rows; r++) {
        row[r] += reduction;
        OPAQUE(row[r]);
    }
}

INLINE void tile(const int rows, const float *a, const float *panel, const struct Conv *s, float *out,
                 int32_t out_channels) {
    v128_t sum[ROWS][2];
    const float *row[ROWS];
    UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r][0] = wasm_v128_load(panel);
        sum[r][1] = wasm_v128_load(panel + 4);
        row[r] = a + r * s->reduction;
        OPAQUE(row[r]);
    }
    const float *w = panel + 8;
    int32_t k = s->reduction;
    NO_UNROLL
    for (; k >= 4; k -= 4) {
        multiply(rows, 4, row, w, sum);
        advance(rows, 4, row, &w);
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
        float *to = out + r * s->out_channels;
        store_f32(to, clamp_f32(sum[r][0], low, high), out_channels);
        if (out_channels > 4) store_f32(to + 4, clamp_f32(sum[r][1], low, high), out_channels - 4);
    }
}

EXPORT(f32_gemm_4x8_fma) void f32_gemm_4x8_fma(const struct Conv *s) {
    const int32_t panel_floats = 8 * (s->reduction + 1);
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        const float *a = (const float *)matrix_rows(s, start, rows, 4);
        const float *panel = (const float *)s->weights;
        for (int32_t n = 0; n < s->out_channels; n += 8, panel += panel_floats) {
            const int32_t out_channels = min_i32(8, s->out_channels - n);
            const float *from = a;
            float *out = (float *)s->output + start * s->out_channels + n;
            int32_t m = rows;
            NO_UNROLL
            for (; m >= ROWS; m -= ROWS, from += ROWS * s->reduction, out += ROWS * s->out_channels) {
                tile(ROWS, from, panel, s, out, out_channels);
            }
            NO_UNROLL
            for (; m > 0; m--, from += s->reduction, out += s->out_channels) tile(1, from, panel, s, out, out_channels);
        }
    }
}
