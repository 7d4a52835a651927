/* Convolution of floats.
 * Tile: 4 rows × 8 columns in 8 accumulators; the rest of the rows one by one.
 * Panel: bias[8], weights[depth][8], floats.
 * Bounds: any rows, depth and columns; multiply-add is fused where the CPU can. */
#include "gemm.h"

#define ROWS TILE_ROWS

/* One lane in all of them; `lane` is known when this is compiled. */
INLINE v128_t splat_lane(v128_t x, const int lane) {
    if (lane == 0) return wasm_i32x4_shuffle(x, x, 0, 0, 0, 0);
    if (lane == 1) return wasm_i32x4_shuffle(x, x, 1, 1, 1, 1);
    if (lane == 2) return wasm_i32x4_shuffle(x, x, 2, 2, 2, 2);
    return wasm_i32x4_shuffle(x, x, 3, 3, 3, 3);
}

/* `depth` steps of the product, a multiple of 4. Four steps of a row come by one load: V8 checks the bounds of each, which
 * costs as much as a multiplication, and does not address a load32_splat at an offset in one instruction. */
INLINE void multiply(const int rows, const int depth, const float *row[ROWS], const float *w, v128_t sum[ROWS][2]) {
    UNROLL
    for (int k = 0; k < depth; k += 4) {
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

/* Moves all pointers on by `depth` steps. */
INLINE void advance(const int rows, const int depth, const float *row[ROWS], const float **w) {
    *w += 8 * depth;
    OPAQUE(*w);
    UNROLL
    for (int r = 0; r < rows; r++) {
        row[r] += depth;
        OPAQUE(row[r]);
    }
}

INLINE void tile(const int rows, const float *a, const float *panel, const struct Conv *s, float *out,
                 int32_t columns) {
    v128_t sum[ROWS][2];
    const float *row[ROWS];
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
        float *to = out + r * s->columns;
        store_f32(to, clamp_f32(sum[r][0], low, high), columns);
        if (columns > 4) store_f32(to + 4, clamp_f32(sum[r][1], low, high), columns - 4);
    }
}

EXPORT(f32_gemm_4x8_fma) void f32_gemm_4x8_fma(const struct Conv *s) {
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
            for (; m >= ROWS; m -= ROWS, from += ROWS * s->depth, out += ROWS * s->columns) {
                tile(ROWS, from, panel, s, out, columns);
            }
            NO_UNROLL
            for (; m > 0; m--, from += s->depth, out += s->columns) tile(1, from, panel, s, out, columns);
        }
    }
}
