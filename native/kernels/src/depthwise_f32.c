/* Depthwise convolution of floats.
 * Tile: 4 pixels × 4 channels; the rest of the pixels in tiles of 2 and 1. 3×3 and 5×5 at stride 1 and 2 are unrolled.
 * Packing: for each 4 channels bias[4], weights[taps][4].
 * Bounds: any kernel, stride, dilation and number of channels. */
#include "depthwise.h"

#define LANES 4

static void copy_rows(const struct Depthwise *s, int32_t first, int32_t rows) {
#define LOAD(from) wasm_v128_load(from)
#define STORE_ONE(at, lane, from) ((float *)(at))[lane] = *(const float *)(from)
    COPY_TO_PLANES(s, first, rows, LANES, 4, LOAD, STORE_ONE);
#undef LOAD
#undef STORE_ONE
}

/* Kernels of a size that is known when this is compiled are unrolled, with `row_step` the only distance that is not. */
struct Window {
    int32_t height, width, stride;
    int32_t row_step, column_step; /* bytes from tap to tap */
};

INLINE void tile(const int pixels, const struct Window window, const uint8_t *in, const float *w, float *out,
                 int32_t channels, int32_t count, v128_t low, v128_t high) {
    v128_t sum[4];
    UNROLL
    for (int p = 0; p < pixels; p++) sum[p] = wasm_v128_load(w);
    w += 4;
    UNROLL
    for (int32_t ky = 0; ky < window.height; ky++) {
        UNROLL
        for (int32_t kx = 0; kx < window.width; kx++) {
            const v128_t weight = wasm_v128_load(w + 4 * (ky * window.width + kx));
            UNROLL
            for (int p = 0; p < pixels; p++) {
                const v128_t x = wasm_v128_load(in + kx * window.column_step + p * window.stride * COLUMN);
                sum[p] = wasm_f32x4_relaxed_madd(x, weight, sum[p]);
                OPAQUE(sum[p]);
            }
        }
        in += window.row_step;
        OPAQUE(in);
    }
    UNROLL
    for (int p = 0; p < pixels; p++) store_f32(out + p * channels, clamp_f32(sum[p], low, high), count);
}

/* The same with loops, for any kernel. */
static void tile_of_any(const struct Window *window, const uint8_t *in, const float *w, float *out, int32_t count,
                        v128_t low, v128_t high) {
    v128_t sum = wasm_v128_load(w);
    w += 4;
    for (int32_t ky = 0; ky < window->height; ky++, in += window->row_step) {
        for (int32_t kx = 0; kx < window->width; kx++, w += 4) {
            sum = wasm_f32x4_relaxed_madd(wasm_v128_load(in + kx * window->column_step), wasm_v128_load(w), sum);
        }
    }
    store_f32(out, clamp_f32(sum, low, high), count);
}

/* One output row of one plane. `count`: its channels, 4 or fewer in the last plane. */
INLINE void plane_row(const int known, struct Window window, const struct Depthwise *s, const uint8_t *in,
                      const float *w, float *out, const int32_t count) {
    const v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    const int32_t channels = s->channels, step = window.stride * COLUMN;
    int32_t x = s->out_width;
    if (known) {
        NO_UNROLL
        for (; x >= 4; x -= 4, in += 4 * step, out += 4 * channels) tile(4, window, in, w, out, channels, count, low, high);
        if (x >= 2) {
            tile(2, window, in, w, out, channels, count, low, high);
            x -= 2, in += 2 * step, out += 2 * channels;
        }
        if (x > 0) tile(1, window, in, w, out, channels, count, low, high);
    } else {
        NO_UNROLL
        for (; x > 0; x--, in += step, out += channels) tile_of_any(&window, in, w, out, count, low, high);
    }
}

INLINE void convolve(const int known, struct Window window, const struct Depthwise *s) {
    const int32_t row = s->padded_width * COLUMN, taps = window.height * window.width;
    window.row_step = s->dilation_y * row;
    float *out = (float *)s->output;
    for (int32_t start = 0; start < s->out_height; start += s->block) {
        const int32_t rows = min_i32(s->block, s->out_height - start), plane = plane_bytes(s, block_rows(s, rows));
        copy_rows(s, start * s->stride_y - s->top, block_rows(s, rows));
        for (int32_t y = 0; y < rows; y++, out += s->out_width * s->channels) {
            const uint8_t *in = s->planes + y * s->stride_y * row;
            const float *w = (const float *)s->weights;
            int32_t c = 0;
            for (; c + LANES <= s->channels; c += LANES, in += plane, w += LANES * (1 + taps)) {
                plane_row(known, window, s, in, w, out + c, LANES);
            }
            if (c < s->channels) plane_row(0, window, s, in, w, out + c, s->channels - c);
        }
    }
}

EXPORT(depthwise_f32) void depthwise_f32(const struct Depthwise *s) {
    const int32_t size = s->kernel_height == s->kernel_width && s->dilation_x == 1 ? s->kernel_height : 0;
    if (size == 3 && s->stride_x == 1) convolve(1, (struct Window){3, 3, 1, 0, COLUMN}, s);
    else if (size == 3 && s->stride_x == 2) convolve(1, (struct Window){3, 3, 2, 0, COLUMN}, s);
    else if (size == 5 && s->stride_x == 1) convolve(1, (struct Window){5, 5, 1, 0, COLUMN}, s);
    else if (size == 5 && s->stride_x == 2) convolve(1, (struct Window){5, 5, 2, 0, COLUMN}, s);
    else convolve(0, (struct Window){s->kernel_height, s->kernel_width, s->stride_x, 0, s->dilation_x * COLUMN}, s);
}
