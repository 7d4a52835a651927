/* What the convolutions share. A convolution is a matrix product: `rows` output pixels by `reduction` = kernel height ·
 * kernel width · input channels (K), times weights of `reduction` by `out_channels`. It goes block by block of rows, so
 * that the rows of a block stay in the cache while all weights pass by. A fully connected layer is a 1×1 kernel.
 *
 * Weights come in panels of 8 output channels. Each panel begins with the scales and offsets of its channels; channels
 * beyond the last are zero. All tensors have 32 readable bytes behind them.
 */
#ifndef KERNELS_GEMM_H
#define KERNELS_GEMM_H

#include "common.h"
#include "requantize.h"

INLINE void copy_bytes(uint8_t *to, const uint8_t *from, int32_t bytes) {
    NO_UNROLL
    for (int32_t i = 0; i < bytes; i += 16) wasm_v128_store(to + i, wasm_v128_load(from + i));
}

INLINE void fill_bytes(uint8_t *to, v128_t with, int32_t bytes) {
    NO_UNROLL
    for (int32_t i = 0; i < bytes; i += 16) wasm_v128_store(to + i, with);
}

/* Writes the patches of `count` output pixels from `start` on, `stride` bytes apart. Writes up to 15 bytes too many at
 * any point, which what comes next overwrites; so `patches` needs 16 bytes more. */
INLINE void gather_patches(const struct Conv *s, const uint8_t *input, int32_t start, int32_t count, int32_t element,
                           int32_t stride) {
    const int32_t pixel = s->in_channels * element;
    const int32_t patch_row = s->kernel_width * pixel;
    const v128_t padding = element == 1 ? wasm_u8x16_splat(s->input_zero) : wasm_i32x4_splat(0);
    const int32_t in_row = s->in_width * pixel;
    int32_t x = start % s->out_width, y = start / s->out_width;
    for (int32_t row = 0; row < count; row++) {
        const int32_t left = x * s->stride_x - s->left, above = y * s->stride_y - s->top;
        const uint8_t *from = input + (above * s->in_width + left) * pixel;
        uint8_t *to = s->patches + row * stride;
        const int whole = s->dilation_x == 1 && left >= 0 && left + s->kernel_width <= s->in_width;
        if (whole && patch_row <= 16 && above >= 0 && above + (s->kernel_height - 1) * s->dilation_y < s->in_height) {
            NO_UNROLL
            for (int32_t ky = s->kernel_height; ky > 0; ky--, from += s->dilation_y * in_row, to += patch_row) {
                wasm_v128_store(to, wasm_v128_load(from));
            }
        } else {
            for (int32_t ky = 0; ky < s->kernel_height; ky++, from += s->dilation_y * in_row) {
                if ((uint32_t)(above + ky * s->dilation_y) >= (uint32_t)s->in_height) {
                    fill_bytes(to, padding, patch_row);
                    to += patch_row;
                } else if (whole) {
                    copy_bytes(to, from, patch_row);
                    to += patch_row;
                } else {
                    for (int32_t kx = 0; kx < s->kernel_width; kx++, to += pixel) {
                        const int32_t in_x = left + kx * s->dilation_x;
                        if ((uint32_t)in_x >= (uint32_t)s->in_width) fill_bytes(to, padding, pixel);
                        else copy_bytes(to, from + kx * s->dilation_x * pixel, pixel);
                    }
                }
            }
        }
        if (++x == s->out_width) x = 0, y++;
    }
}

/* The matrix rows of a block, gathered if they have to be. */
INLINE const uint8_t *matrix_rows(const struct Conv *s, int32_t start, int32_t count, int32_t element) {
    if (!s->gather) return s->input + start * s->reduction * element;
    gather_patches(s, s->input, start, count, element, s->reduction * element);
    return s->patches;
}

/* Requantises the sums of a tile, bias included, and stores the first `out_channels` (1..8) bytes of each row. */
INLINE void store_requantized(const int rows, v128_t sum[][2], const struct Channels *panel, const struct Conv *s,
                              uint8_t *out, int32_t out_channels, struct Clamp clamp, int signs) {
    v128_t margin = full_margin();
    UNROLL
    for (int r = 0; r < rows; r++) {
        store_u8(out + r * s->out_channels, requantize(sum[r][0], sum[r][1], panel, clamp, signs, &margin),
                 out_channels);
    }
    if (is_uncertain(margin)) {
        UNROLL
        for (int r = 0; r < rows; r++) {
            store_u8(out + r * s->out_channels, requantize_exactly(sum[r][0], sum[r][1], panel, &s->range),
                     out_channels);
        }
    }
}

#endif
