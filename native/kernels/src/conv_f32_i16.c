/* Convolution of floats in 16-bit integers: faster than conv_f32.c and nearly as good.
 * The input is
 *   - int16 of one step that is known when the weights are packed (`short_input`): what an operator with a ReLU6 gives;
 *   - floats that are the matrix as they stand: each row is quantised by its own largest value to ±STEPS;
 *   - floats whose patches are gathered: quantised as a whole, by their largest value, to ±STEPS.
 * Each column is quantised beforehand so that no sum can overflow 32 bits, whatever the image (worker/inference/plan/pack.ts).
 * The output is floats, or int16 for which panel and clamp have their step and half of it for rounding (`short_output`).
 * Tile and packing: tile_i16.h; a panel is headed by bias[8] and scale[8], floats.
 * Bounds: as said; the channels of int16 are even. `wide` is [block] floats, the scales of the rows, and then, unless the
 * input is int16 already, [block, depth, filled up to even] int16. */
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

INLINE void store_i16(uint8_t *to, v128_t low, v128_t high, int32_t columns) {
    v128_t both = wasm_i16x8_narrow_i32x4(wasm_i32x4_relaxed_trunc_f32x4(low), wasm_i32x4_relaxed_trunc_f32x4(high));
    if (columns == 8) {
        wasm_v128_store(to, both);
        return;
    }
    /* Two by two: they are even. */
    NO_UNROLL
    for (int32_t i = 0; i < columns; i += 2) {
        wasm_v128_store32_lane(to + 2 * i, both, 0);
        both = wasm_i32x4_shuffle(both, both, 1, 2, 3, 0);
    }
}

/* `scale_step`: 1 if each row has a scale of its own, 0 if they share one. */
INLINE void tile(const int rows, const int16_t *a, const float *scales, int32_t scale_step, const float *panel,
                 const struct Conv *s, int32_t pairs, uint8_t *out, int32_t columns) {
    v128_t sum[TILE_ROWS][2];
    UNROLL
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = wasm_i32x4_splat(0);
    tile_i16(rows, sum, a, (const int16_t *)(panel + 16), pairs);
    const v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    UNROLL
    for (int r = 0; r < rows; r++) {
        const v128_t scale = wasm_v128_load32_splat(scales + r * scale_step);
        UNROLL
        for (int half = 0; half < 2; half++) {
            const v128_t factor = wasm_f32x4_mul(scale, wasm_v128_load(panel + 8 + 4 * half));
            const v128_t y = wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(sum[r][half]), factor,
                                                     wasm_v128_load(panel + 4 * half));
            sum[r][half] = clamp_f32(y, low, high);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        if (s->short_output) {
            store_i16(out + 2 * r * s->columns, sum[r][0], sum[r][1], columns);
        } else {
            float *to = (float *)out + r * s->columns;
            store_f32(to, sum[r][0], columns);
            if (columns > 4) store_f32(to + 4, sum[r][1], columns - 4);
        }
    }
}

EXPORT(conv_f32_i16) void conv_f32_i16(const struct Conv *s) {
    const int32_t pairs = (s->depth + 1) / 2, element = s->short_output ? 2 : 4;
    const int32_t scale_step = !s->short_input && !s->gather;
    const uint8_t *input = s->input;
    float *scales = (float *)s->wide;
    scales[0] = 1;
    if (!s->short_input && s->gather) {
        const int32_t size = s->in_height * s->in_width * s->in_channels;
        quantize_rows((const float *)input, scales, (int16_t *)s->whole, 1, size, (size + 1) / 2);
        input = s->whole;
    }
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        const int16_t *matrix = (const int16_t *)input + start * s->depth;
        if (s->gather) {
            gather_patches(s, input, start, rows, 2, 4 * pairs);
            matrix = (const int16_t *)s->patches;
        } else if (!s->short_input) {
            int16_t *wide = (int16_t *)(scales + s->block);
            quantize_rows((const float *)input + start * s->depth, scales, wide, rows, s->depth, pairs);
            matrix = wide;
        }
        const float *panel = (const float *)s->weights;
        for (int32_t n = 0; n < s->columns; n += 8, panel += 16 + 8 * pairs) {
            const int32_t columns = min_i32(8, s->columns - n);
            const int16_t *a = matrix;
            const float *scale = scales;
            uint8_t *out = s->output + (start * s->columns + n) * element;
            int32_t m = rows;
            NO_UNROLL
            for (; m >= TILE_ROWS; m -= TILE_ROWS) {
                tile(TILE_ROWS, a, scale, scale_step, panel, s, pairs, out, columns);
                a += 2 * TILE_ROWS * pairs, scale += TILE_ROWS * scale_step, out += TILE_ROWS * s->columns * element;
            }
            NO_UNROLL
            for (; m > 0; m--, a += 2 * pairs, scale += scale_step, out += s->columns * element) {
                tile(1, a, scale, scale_step, panel, s, pairs, out, columns);
            }
        }
    }
}
