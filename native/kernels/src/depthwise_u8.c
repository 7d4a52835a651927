/* Depthwise convolution of bytes. The result is TFLite's, exactly.
 * Tile: 2 pixels × 8 channels; the last pixel of an odd row alone. The taps go two by two through the dot product of
 * 16-bit integers. 3×3 and 5×5 at stride 1 and 2 are unrolled.
 * Packing: for each 8 channels struct Channels, then for each two taps [8][2] int16 less the zero point; an odd number
 * of taps is filled up with zero. `padded` holds int16 less the zero point.
 * Bounds: any kernel of up to 33025 taps, any stride, dilation and number of channels. */
#include "depthwise.h"

static void pad_rows(const struct Depthwise *s, int32_t first, int32_t rows, int32_t pixel) {
    int16_t *to = (int16_t *)s->padded;
    const v128_t zero = wasm_i16x8_splat(s->input_zero);
    for (int32_t y = first; y < first + rows; y++) {
        for (int32_t px = 0; px < s->padded_width; px++, to += pixel) {
            const int32_t x = px - s->left;
            const uint8_t *from = s->input + (y * s->in_width + x) * s->in_channels;
            if ((uint32_t)y >= (uint32_t)s->in_height || (uint32_t)x >= (uint32_t)s->in_width) {
                NO_UNROLL
                for (int32_t c = 0; c < pixel; c += 8) wasm_v128_store(to + c, wasm_i16x8_splat(0));
            } else if (s->multiplier == 1) {
                NO_UNROLL
                for (int32_t c = 0; c < pixel; c += 8) {
                    wasm_v128_store(to + c, wasm_i16x8_sub(wasm_u16x8_load8x8(from + c), zero));
                }
            } else {
                NO_UNROLL
                for (int32_t c = 0; c < s->channels; c++) to[c] = from[c / s->multiplier] - s->input_zero;
            }
        }
    }
}

INLINE void tile(const int pixels, int32_t kernel_height, int32_t kernel_width, int32_t stride, int32_t dilation_y,
                 int32_t dilation_x, const struct Depthwise *s, struct Steps steps, const int16_t *in, uint8_t *out,
                 int rectified) {
    const uint8_t *packed = s->weights;
    const int32_t taps = kernel_height * kernel_width;
    NO_UNROLL
    for (int32_t c = 0; c < s->channels; c += 8) {
        const struct Channels *channels = (const struct Channels *)packed;
        const int16_t *w = (const int16_t *)(channels + 1);
        v128_t sum[2][2];
        UNROLL
        for (int p = 0; p < pixels; p++) {
            sum[p][0] = wasm_v128_load(channels->bias);
            sum[p][1] = wasm_v128_load(channels->bias + 4);
        }
        for (int32_t tap = 0; tap < taps; tap += 2, w += 16) {
            /* Behind an odd last tap its own value meets a weight of zero. */
            const int32_t next = tap + 1 < taps ? tap + 1 : tap;
            const int16_t *from = in + c + tap / kernel_width * dilation_y * steps.row +
                                  tap % kernel_width * dilation_x * steps.pixel;
            const int16_t *from_next = in + c + next / kernel_width * dilation_y * steps.row +
                                       next % kernel_width * dilation_x * steps.pixel;
            const v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 8);
            UNROLL
            for (int p = 0; p < pixels; p++) {
                const v128_t a = wasm_v128_load(from + p * stride * steps.pixel);
                const v128_t b = wasm_v128_load(from_next + p * stride * steps.pixel);
                const v128_t low = wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
                const v128_t high = wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
                sum[p][0] = wasm_i32x4_add(sum[p][0], wasm_i32x4_dot_i16x8(low, w0));
                sum[p][1] = wasm_i32x4_add(sum[p][1], wasm_i32x4_dot_i16x8(high, w1));
            }
        }
        packed = (const uint8_t *)w;
        UNROLL
        for (int p = 0; p < pixels; p++) {
            store_u8(out + p * s->channels + c, requantize(sum[p][0], sum[p][1], channels, s->range, rectified),
                     s->channels - c);
        }
    }
}

INLINE void convolve(int32_t kernel_height, int32_t kernel_width, int32_t stride, int32_t dilation_y, int32_t dilation_x,
                     const struct Depthwise *s, int rectified) {
    struct Steps steps = {.pixel = (s->channels + 7) & ~7};
    steps.row = steps.pixel * s->padded_width;
    uint8_t *out = s->output;
    for (int32_t start = 0; start < s->out_height; start += s->block) {
        const int32_t rows = min_i32(s->block, s->out_height - start);
        pad_rows(s, start * s->stride_y - s->top, block_rows(s, rows), steps.pixel);
        for (int32_t y = 0; y < rows; y++) {
            const int16_t *in = (const int16_t *)s->padded + y * s->stride_y * steps.row;
            int32_t x = s->out_width;
            for (; x >= 2; x -= 2, in += 2 * stride * steps.pixel, out += 2 * s->channels) {
                tile(2, kernel_height, kernel_width, stride, dilation_y, dilation_x, s, steps, in, out, rectified);
            }
            if (x > 0) {
                tile(1, kernel_height, kernel_width, stride, dilation_y, dilation_x, s, steps, in, out, rectified);
                out += s->channels;
            }
        }
    }
}

static void convolve_3x3(const struct Depthwise *s) {
    const int rectified = s->range.low >= s->range.zero;
    if (s->stride_x == 1) {
        if (rectified) convolve(3, 3, 1, 1, 1, s, 1);
        else convolve(3, 3, 1, 1, 1, s, 0);
    } else {
        if (rectified) convolve(3, 3, 2, 1, 1, s, 1);
        else convolve(3, 3, 2, 1, 1, s, 0);
    }
}

static void convolve_5x5(const struct Depthwise *s) {
    if (s->stride_x == 1) convolve(5, 5, 1, 1, 1, s, 0);
    else convolve(5, 5, 2, 1, 1, s, 0);
}

EXPORT(depthwise_u8) void depthwise_u8(const struct Depthwise *s) {
    const int32_t plain = s->dilation_y == 1 && s->dilation_x == 1 && s->stride_x <= 2;
    if (plain && s->kernel_height == 3 && s->kernel_width == 3) convolve_3x3(s);
    else if (plain && s->kernel_height == 5 && s->kernel_width == 5) convolve_5x5(s);
    else convolve(s->kernel_height, s->kernel_width, s->stride_x, s->dilation_y, s->dilation_x, s, 0);
}
