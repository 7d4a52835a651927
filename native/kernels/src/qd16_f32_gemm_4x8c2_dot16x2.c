/* Convolution of f32 in 16-bit integers: faster than f32_gemm_4x8_fma.c and nearly as accurate.
 * The input is one of:
 *   - int16 with a step that is known when the weights are packed (`int16_input`): the output of a ReLU6;
 *   - f32 that is already a matrix: each row is quantised by its own largest value to ±I16_STEPS;
 *   - f32 whose patches are gathered: quantised as a whole, by its largest value, to ±I16_STEPS.
 * Each output channel is quantised beforehand so that no sum can overflow 32 bits, whatever the image
 * (worker/inference/plan/pack/f32.ts).
 * The output is f32, or int16, for which panel and clamp include its step and half of it for rounding (`int16_output`).
 * Tile and packing: tile_4x8c2_dot16x2.h; a panel begins with struct Head.
 * Bounds: those above; an even number of channels for int16. `wide` is [block] f32, the scales of the rows, followed by
 * [block, K, rounded up to even] int16 unless the input is int16 already. */
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
