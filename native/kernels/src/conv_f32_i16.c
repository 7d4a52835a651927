/* Convolution of floats in 16-bit integers: faster than conv_f32.c and nearly as good.
 * Each row is quantised by its own largest value to ±STEPS, each column beforehand so that STEPS times the sum of its
 * weights' magnitudes stays below 2^31: then no sum can overflow, whatever the image, and 13 bits or so are left for
 * the weights.
 * Tile and packing: tile_i16.h; a panel is headed by bias[8] and scale[8], floats.
 * Bounds: as said. `wide` is [block] floats, the scales of the rows, and then [block, depth, filled up to even] int16. */
#include "conv.h"
#include "tile_i16.h"

#define STEPS 4095

static void quantize_rows(const float *from, float *scales, int16_t *to, int32_t rows, int32_t depth, int32_t pairs) {
    for (int32_t r = 0; r < rows; r++, from += depth, to += 2 * pairs) {
        int32_t k = 0;
        v128_t most = wasm_f32x4_splat(0), more = most;
        for (; k + 8 <= depth; k += 8) {
            most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load(from + k)));
            more = wasm_f32x4_pmax(more, wasm_f32x4_abs(wasm_v128_load(from + k + 4)));
        }
        for (; k < depth; k++) most = wasm_f32x4_pmax(most, wasm_f32x4_abs(wasm_v128_load32_splat(from + k)));
        most = wasm_f32x4_pmax(most, more);
        most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
        most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2));
        const float largest = wasm_f32x4_extract_lane(most, 0);
        scales[r] = largest / STEPS;
        /* A row of zeros stays one; so does one too small for its inverse to be a number. */
        const v128_t factor = wasm_f32x4_splat(largest > 1e-30f ? STEPS / largest : 0);
        /* What is read behind the row fills up the last pair, meets a weight of zero, and is saturated. */
        for (k = 0; k < depth; k += 8) {
            v128_t a = wasm_f32x4_nearest(wasm_f32x4_mul(wasm_v128_load(from + k), factor));
            v128_t b = wasm_f32x4_nearest(wasm_f32x4_mul(wasm_v128_load(from + k + 4), factor));
            v128_t both = wasm_i16x8_narrow_i32x4(wasm_i32x4_relaxed_trunc_f32x4(a), wasm_i32x4_relaxed_trunc_f32x4(b));
            wasm_v128_store(to + k, both);
        }
    }
}

INLINE void tile(const int rows, const int16_t *a, const float *scales, const float *panel, const struct Conv *s,
                 int32_t pairs, float *out, int32_t columns) {
    v128_t sum[TILE_ROWS][2];
    UNROLL
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = wasm_i32x4_splat(0);
    tile_i16(rows, sum, a, (const int16_t *)(panel + 16), pairs);
    v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    UNROLL
    for (int r = 0; r < rows; r++) {
        v128_t scale = wasm_v128_load32_splat(scales + r);
        UNROLL
        for (int half = 0; half < 2; half++) {
            v128_t factor = wasm_f32x4_mul(scale, wasm_v128_load(panel + 8 + 4 * half));
            v128_t y = wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(sum[r][half]), factor,
                                               wasm_v128_load(panel + 4 * half));
            if (columns > 4 * half) store_f32(out + r * s->columns + 4 * half, clamp_f32(y, low, high), columns - 4 * half);
        }
    }
}

EXPORT(conv_f32_i16) void conv_f32_i16(const struct Conv *s) {
    const int32_t pairs = (s->depth + 1) / 2;
    float *scales = (float *)s->wide;
    int16_t *wide = (int16_t *)(scales + s->block);
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        quantize_rows((const float *)matrix_rows(s, start, rows, 4), scales, wide, rows, s->depth, pairs);
        const float *panel = (const float *)s->weights;
        for (int32_t n = 0; n < s->columns; n += 8, panel += 16 + 8 * pairs) {
            const int32_t columns = min_i32(8, s->columns - n);
            const int16_t *a = wide;
            const float *scale = scales;
            float *out = (float *)s->output + start * s->columns + n;
            int32_t m = rows;
            NO_UNROLL
            for (; m >= TILE_ROWS; m -= TILE_ROWS) {
                tile(TILE_ROWS, a, scale, panel, s, pairs, out, columns);
                a += 2 * TILE_ROWS * pairs, scale += TILE_ROWS, out += TILE_ROWS * s->columns;
            }
            NO_UNROLL
            for (; m > 0; m--, a += 2 * pairs, scale++, out += s->columns) {
                tile(1, a, scale, panel, s, pairs, out, columns);
            }
        }
    }
}
