/* What the depthwise convolutions share. They go block by block of output rows: the input rows that a block needs are
 * first copied to scratch with their padding, and each channel as often as there are filters for it, so that the
 * kernels themselves know neither edges nor remainders: channels are filled up to whole vectors with anything.
 * All tensors have 32 readable bytes behind them. */
#ifndef KERNELS_DEPTHWISE_H
#define KERNELS_DEPTHWISE_H

#include "common.h"
#include "requantize.h"

struct Depthwise {
    const uint8_t *input;   /* [in_height, in_width, in_channels] */
    const uint8_t *weights; /* by vector of channels; see the kernel */
    uint8_t *output;        /* [out_height, out_width, channels] */
    uint8_t *padded;        /* scratch, [(block − 1) · stride + (kernel − 1) · dilation + 1, padded_width, vectors] */
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

/* Where a tile of output pixels finds its inputs: elements from one row, pixel and tap to the next. */
struct Steps {
    int32_t pixel, row; /* of the padded scratch */
};

INLINE int32_t block_rows(const struct Depthwise *s, int32_t rows) {
    return (rows - 1) * s->stride_y + (s->kernel_height - 1) * s->dilation_y + 1;
}

#endif
