/* Depthwise convolution of floats.
 * Tile: 4 pixels × 4 channels; the rest of the pixels one by one. 3×3 and 5×5 at stride 1 and 2 are unrolled.
 * Packing: for each 4 channels bias[4], weights[taps][4].
 * Bounds: any kernel, stride, dilation and number of channels. */
#include "depthwise.h"

static void pad_rows(const struct Depthwise *s, int32_t first, int32_t rows, int32_t pixel) {
    float *to = (float *)s->padded;
    for (int32_t y = first; y < first + rows; y++) {
        for (int32_t px = 0; px < s->padded_width; px++, to += pixel) {
            const int32_t x = px - s->left;
            const float *from = (const float *)s->input + (y * s->in_width + x) * s->in_channels;
            if ((uint32_t)y >= (uint32_t)s->in_height || (uint32_t)x >= (uint32_t)s->in_width) {
                NO_UNROLL
                for (int32_t c = 0; c < pixel; c += 4) wasm_v128_store(to + c, wasm_f32x4_splat(0));
            } else if (s->multiplier == 1) {
                NO_UNROLL
                for (int32_t c = 0; c < pixel; c += 4) wasm_v128_store(to + c, wasm_v128_load(from + c));
            } else {
                NO_UNROLL
                for (int32_t c = 0; c < s->channels; c++) to[c] = from[c / s->multiplier];
            }
        }
    }
}

INLINE void tile(const int pixels, int32_t kernel_height, int32_t kernel_width, int32_t stride, int32_t dilation_y,
                 int32_t dilation_x, const struct Depthwise *s, struct Steps steps, const float *in, float *out) {
    const float *w = (const float *)s->weights;
    const v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    NO_UNROLL
    for (int32_t c = 0; c < s->channels; c += 4) {
        v128_t sum[4];
        UNROLL
        for (int p = 0; p < pixels; p++) sum[p] = wasm_v128_load(w);
        w += 4;
        for (int32_t ky = 0; ky < kernel_height; ky++) {
            for (int32_t kx = 0; kx < kernel_width; kx++, w += 4) {
                const v128_t weight = wasm_v128_load(w);
                const float *from = in + ky * dilation_y * steps.row + kx * dilation_x * steps.pixel + c;
                UNROLL
                for (int p = 0; p < pixels; p++) {
                    sum[p] = wasm_f32x4_relaxed_madd(wasm_v128_load(from + p * stride * steps.pixel), weight, sum[p]);
                }
            }
        }
        UNROLL
        for (int p = 0; p < pixels; p++) store_f32(out + p * s->channels + c, clamp_f32(sum[p], low, high), s->channels - c);
    }
}

INLINE void convolve(int32_t kernel_height, int32_t kernel_width, int32_t stride, int32_t dilation_y, int32_t dilation_x,
                     const struct Depthwise *s) {
    struct Steps steps = {.pixel = (s->channels + 3) & ~3};
    steps.row = steps.pixel * s->padded_width;
    float *out = (float *)s->output;
    for (int32_t start = 0; start < s->out_height; start += s->block) {
        const int32_t rows = min_i32(s->block, s->out_height - start);
        pad_rows(s, start * s->stride_y - s->top, block_rows(s, rows), steps.pixel);
        for (int32_t y = 0; y < rows; y++) {
            const float *in = (const float *)s->padded + y * s->stride_y * steps.row;
            int32_t x = s->out_width;
            for (; x >= 4; x -= 4, in += 4 * stride * steps.pixel, out += 4 * s->channels) {
                tile(4, kernel_height, kernel_width, stride, dilation_y, dilation_x, s, steps, in, out);
            }
            for (; x > 0; x--, in += stride * steps.pixel, out += s->channels) {
                tile(1, kernel_height, kernel_width, stride, dilation_y, dilation_x, s, steps, in, out);
            }
        }
    }
}

static void convolve_3x3(const struct Depthwise *s) {
    if (s->stride_x == 1) convolve(3, 3, 1, 1, 1, s);
    else convolve(3, 3, 2, 1, 1, s);
}

static void convolve_5x5(const struct Depthwise *s) {
    if (s->stride_x == 1) convolve(5, 5, 1, 1, 1, s);
    else convolve(5, 5, 2, 1, 1, s);
}

EXPORT(depthwise_f32) void depthwise_f32(const struct Depthwise *s) {
    const int32_t plain = s->dilation_y == 1 && s->dilation_x == 1 && s->stride_x <= 2;
    if (plain && s->kernel_height == 3 && s->kernel_width == 3) convolve_3x3(s);
    else if (plain && s->kernel_height == 5 && s->kernel_width == 5) convolve_5x5(s);
    else convolve(s->kernel_height, s->kernel_width, s->stride_x, s->dilation_y, s->dilation_x, s);
}
