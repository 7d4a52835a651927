/* What the depthwise convolutions share. They go block by block of output rows. The input rows that a block needs are
 * first copied to scratch, in planes of as many channels as a vector has lanes: [plane][row][column][lanes]. The copy
 * has the padding, and each channel as often as there are filters for it; so the kernels themselves know neither edges
 * nor remainders, and their columns lie 16 bytes apart whatever the number of channels.
 * All tensors have 32 readable bytes behind them. */
#ifndef KERNELS_DEPTHWISE_H
#define KERNELS_DEPTHWISE_H

#include "common.h"
#include "requantize.h"

struct Depthwise {
    const uint8_t *input;   /* [in_height, in_width, in_channels] */
    const uint8_t *weights; /* by vector of channels; see the kernel */
    uint8_t *output;        /* [out_height, out_width, channels] */
    uint8_t *planes;        /* scratch, [planes][block_rows · padded_width · 16 + PLANE_GAP] bytes */
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, channels;
    int32_t kernel_height, kernel_width;
    int32_t stride_y, stride_x, dilation_y, dilation_x;
    int32_t top, left;    /* padding */
    int32_t multiplier;   /* filters for each input channel: channels / in_channels */
    int32_t block;        /* output rows at a time */
    int32_t padded_width; /* (out_width − 1) · stride + (kernel − 1) · dilation + 1 */
    int32_t input_zero;
    struct Range range;
    float low, high;
};

/* Bytes between planes, without which those of some sizes would all fall on the same lines of the cache. */
#define PLANE_GAP 64

/* Bytes of a column: a vector. */
#define COLUMN 16

INLINE int32_t block_rows(const struct Depthwise *s, int32_t rows) {
    return (rows - 1) * s->stride_y + (s->kernel_height - 1) * s->dilation_y + 1;
}

INLINE int32_t plane_bytes(const struct Depthwise *s, int32_t rows) {
    return rows * s->padded_width * COLUMN + PLANE_GAP;
}

/* Copies `rows` input rows from `first` on into planes. `lanes`: channels of a plane; `load`: gives the vector of that
 * many channels at an element of the input; `element`: its bytes; `one`: gives a single channel. */
#define COPY_TO_PLANES(s, first, rows, lanes, element, load, store_one)                                                \
    do {                                                                                                               \
        const int32_t plane = plane_bytes(s, rows);                                                                    \
        uint8_t *to = s->planes;                                                                                       \
        for (int32_t y = first; y < first + rows; y++) {                                                               \
            for (int32_t column = 0; column < s->padded_width; column++, to += COLUMN) {                               \
                const int32_t x = column - s->left;                                                                    \
                const uint8_t *from = s->input + (y * s->in_width + x) * s->in_channels * element;                     \
                uint8_t *at = to;                                                                                      \
                if ((uint32_t)y >= (uint32_t)s->in_height || (uint32_t)x >= (uint32_t)s->in_width) {                   \
                    NO_UNROLL                                                                                          \
                    for (int32_t c = 0; c < s->channels; c += lanes, at += plane) {                                    \
                        wasm_v128_store(at, wasm_i32x4_splat(0));                                                      \
                    }                                                                                                  \
                } else if (s->multiplier == 1) {                                                                       \
                    NO_UNROLL                                                                                          \
                    for (int32_t c = 0; c < s->channels; c += lanes, at += plane, from += lanes * element) {           \
                        wasm_v128_store(at, load(from));                                                               \
                    }                                                                                                  \
                } else {                                                                                               \
                    NO_UNROLL                                                                                          \
                    for (int32_t c = 0; c < s->channels; c++) {                                                        \
                        store_one(at + c / lanes * plane, c % lanes, from + c / s->multiplier * element);              \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
