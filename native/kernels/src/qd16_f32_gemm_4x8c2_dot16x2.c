/* Convolution of floats in 16-bit integers: faster than f32_gemm_4x8_fma.c and nearly as good.
 * The input is
 *   - int16 of one step that is known when the weights are packed (`int16_input`): what an operator with a ReLU6 gives;
 *   - floats that are the matrix as they stand: each row is quantised by its own largest value to ±I16_STEPS;
 *   - floats whose patches are gathered: quantised as a whole, by their largest value, to ±I16_STEPS.
 * Each output channel is quantised beforehand so that no sum can overflow 32 bits, whatever the image
 * (worker/inference/plan/pack/f32.ts).
 * The output is floats, or int16 for which panel and clamp have their step and half of it for rounding (`int16_output`).
 * Tile and packing: tile_4x8c2_dot16x2.h; a panel is headed by struct Head.
 * Bounds: as said; the channels of int16 are even. `wide` is [block] floats, the scales of the rows, and then, unless the
 * input is int16 already, [block, K, filled up to even] int16. */
#include "qd16_f32_gemm.h"

EXPORT(qd16_f32_gemm_4x8c2_dot16x2) void qd16_f32_gemm_4x8c2_dot16x2(const struct Conv *s) {
    const int32_t pairs = (s->reduction + 1) / 2, scaled = !s->int16_input && !s->gather;
    const uint8_t *input = s->input;
    float *scales = (float *)s->wide;
    scales[0] = 1;
    if (!s->int16_input && s->gather) {
        const int32_t size = s->in_height * s->in_width * s->in_channels;
        quantize_rows((const float *)input, scales, (int16_t *)s->whole, 1, size, (size + 1) / 2);
        input = s->whole;
    }
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        const int16_t *matrix = (const int16_t *)input + start * s->reduction;
        if (s->gather) {
            gather_patches(s, input, start, rows, 2, 4 * pairs);
            matrix = (const int16_t *)s->patches;
        } else if (!s->int16_input) {
            int16_t *wide = (int16_t *)(scales + s->block);
            quantize_rows((const float *)input + start * s->reduction, scales, wide, rows, s->reduction, pairs);
            matrix = wide;
        }
        multiply_rows(s, matrix, scales, scaled, start, rows);
    }
}
