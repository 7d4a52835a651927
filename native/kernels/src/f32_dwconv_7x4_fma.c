/* Depthwise convolution of f32.
 * Tile: 7 pixels × 4 channels, since most networks' widths are multiples of 7; the remaining pixels in tiles of 4, 2
 * and 1. For each row of the kernel, each column of the input is loaded once and multiplied by all weights that apply
 * to it. 3×3 and 5×5 at stride 1 and 2 are unrolled.
 * Packing: for each 4 channels bias[4], weights[taps][4].
 * Input and output may be int16, as in qd16_f32_gemm_4x8c2_dot16x2.c: weights, bias and clamp then include the steps of
 * both, and the bias half a step for rounding.
 * Bounds: any kernel, stride, dilation and number of channels; an even number for int16. */
#include "dwconv.h"

#define LANES 4
#define PIXELS 7

static void copy_floats(const struct Depthwise *s, int32_t channel, int32_t first, int32_t rows) {
    copy_rows(F32, s, channel, first, rows);
}

static void copy_int16(const struct Depthwise *s, int32_t channel, int32_t first, int32_t rows) {
    copy_rows(I16_AS_F32, s, channel, first, rows);
}

/* The first `count` (1..4) channels of a pixel. */
INLINE void store(const struct Depthwise *s, uint8_t *to, v128_t x, int32_t count) {
    if (!s->int16_output) {
        store_f32((float *)to, x, count);
        return;
    }
    const v128_t whole = wasm_i32x4_relaxed_trunc_f32x4(x), both = wasm_i16x8_narrow_i32x4(whole, whole);
    if (count >= 4) wasm_v128_store64_lane(to, both, 0);
    else wasm_v128_store32_lane(to, both, 0);
}

/* Kernels of a size that is known when this is compiled are unrolled, with `row_step` the only distance that is not. */
struct Window {
    int32_t height, width, stride;
    int32_t row_step, column_step; /* bytes from tap to tap */
};

INLINE void tile(const int pixels, const struct Window window, const struct Depthwise *s, const uint8_t *in,
                 const float *w, uint8_t *out, int32_t pixel_bytes, v128_t low, v128_t high) {
    v128_t sum[PIXELS];
    UNROLL
    for (int p = 0; p < pixels; p++) sum[p] = wasm_v128_load(w);
    w += 4;
    NO_UNROLL
    for (int32_t ky = 0; ky < window.height; ky++) {
        v128_t weight[5];
        UNROLL
        for (int kx = 0; kx < window.width; kx++) weight[kx] = wasm_v128_load(w + 4 * kx);
        UNROLL
        for (int column = 0; column < (pixels - 1) * window.stride + window.width; column++) {
            const v128_t x = wasm_v128_load(in + column * COLUMN_BYTES);
            UNROLL
            for (int kx = 0; kx < window.width; kx++) {
                const int p = (column - kx) / window.stride;
                if (column < kx || (column - kx) % window.stride != 0 || p >= pixels) continue;
                sum[p] = wasm_f32x4_relaxed_madd(x, weight[kx], sum[p]);
                OPAQUE(sum[p]);
            }
        }
        in += window.row_step;
        w += 4 * window.width;
        OPAQUE(in);
        OPAQUE(w);
    }
    UNROLL
    for (int p = 0; p < pixels; p++) store(s, out + p * pixel_bytes, clamp_f32(sum[p], low, high), LANES);
}

/* The same with loops, for any kernel. */
static void tile_of_any(const struct Window *window, const struct Depthwise *s, const uint8_t *in, const float *w,
                        uint8_t *out, int32_t count, v128_t low, v128_t high) {
    v128_t sum = wasm_v128_load(w);
    w += 4;
    for (int32_t ky = 0; ky < window->height; ky++, in += window->row_step) {
        for (int32_t kx = 0; kx < window->width; kx++, w += 4) {
            sum = wasm_f32x4_relaxed_madd(wasm_v128_load(in + kx * window->column_step), wasm_v128_load(w), sum);
        }
    }
    store(s, out, clamp_f32(sum, low, high), count);
}

/* One output row of one plane. `count`: its channels, 4 or fewer in the last plane. */
INLINE void plane_row(const int known, struct Window window, const struct Depthwise *s, const uint8_t *in,
                      const float *w, uint8_t *out, const int32_t count) {
    const v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    const int32_t bytes = s->channels * (s->int16_output ? 2 : 4), step = window.stride * COLUMN_BYTES;
    int32_t x = s->out_width;
    if (known) {
        NO_UNROLL
        for (; x >= PIXELS; x -= PIXELS, in += PIXELS * step, out += PIXELS * bytes) {
            tile(PIXELS, window, s, in, w, out, bytes, low, high);
        }
        if (x >= 4) {
            tile(4, window, s, in, w, out, bytes, low, high);
            x -= 4, in += 4 * step, out += 4 * bytes;
        }
        if (x >= 2) {
            tile(2, window, s, in, w, out, bytes, low, high);
            x -= 2, in += 2 * step, out += 2 * bytes;
        }
        if (x > 0) tile(1, window, s, in, w, out, bytes, low, high);
    } else {
        NO_UNROLL
        for (; x > 0; x--, in += step, out += bytes) tile_of_any(&window, s, in, w, out, count, low, high);
    }
}

/* Output rows from `start` on, of the planes from `channel` on, whose input has been copied. */
INLINE void block(const int known, struct Window window, const struct Depthwise *s, int32_t channel, int32_t start) {
    const int32_t rows = min_i32(s->block, s->out_height - start), row = s->padded_width * COLUMN_BYTES;
    const int32_t plane = plane_bytes(s, block_rows(s, rows)), end = min_i32(s->channels, channel + PLANES * LANES);
    const int32_t element = s->int16_output ? 2 : 4, panel = LANES * (1 + window.height * window.width);
    const float *w = (const float *)s->weights + channel / LANES * panel;
    const uint8_t *in = s->planes;
    for (int32_t c = channel; c < end; c += LANES, in += plane, w += panel) {
        uint8_t *out = s->output + (start * s->out_width * s->channels + c) * element;
        const int32_t count = min_i32(LANES, s->channels - c);
        for (int32_t y = 0; y < rows; y++, out += s->out_width * s->channels * element) {
            if (count == LANES) plane_row(known, window, s, in + y * s->stride_y * row, w, out, LANES);
            else plane_row(0, window, s, in + y * s->stride_y * row, w, out, count);
        }
    }
}

INLINE void convolve(const int known, struct Window window, const struct Depthwise *s) {
    window.row_step = s->dilation_y * s->padded_width * COLUMN_BYTES;
    for (int32_t channel = 0; channel < s->channels; channel += PLANES * LANES) {
        for (int32_t start = 0; start < s->out_height; start += s->block) {
            const int32_t rows = block_rows(s, min_i32(s->block, s->out_height - start));
            const int32_t first = start * s->stride_y - s->top;
            if (s->int16_input) copy_int16(s, channel, first, rows);
            else copy_floats(s, channel, first, rows);
            block(known, window, s, channel, start);
        }
    }
}

EXPORT(f32_dwconv_7x4_fma) void f32_dwconv_7x4_fma(const struct Depthwise *s) {
    const int32_t size = s->kernel_height == s->kernel_width && s->dilation_x == 1 ? s->kernel_height : 0;
    if (size == 3 && s->stride_x == 1) convolve(1, (struct Window){3, 3, 1, 0, COLUMN_BYTES}, s);
    else if (size == 3 && s->stride_x == 2) convolve(1, (struct Window){3, 3, 2, 0, COLUMN_BYTES}, s);
    else if (size == 5 && s->stride_x == 1) convolve(1, (struct Window){5, 5, 1, 0, COLUMN_BYTES}, s);
    else if (size == 5 && s->stride_x == 2) convolve(1, (struct Window){5, 5, 2, 0, COLUMN_BYTES}, s);
    else
        convolve(0, (struct Window){s->kernel_height, s->kernel_width, s->stride_x, 0, s->dilation_x * COLUMN_BYTES},
                 s);
}
