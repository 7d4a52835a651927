/* Depthwise convolution of uint8. The result is TFLite's, exactly.
 * Tile: 2 pixels × 8 channels; the last pixel of an odd row alone. The dot product of 16-bit integers takes two taps at
 * a time. 3×3 and 5×5 at stride 1 and 2 are unrolled.
 * Packing: for each 8 channels struct Channels, then for each two taps [8][2] int16 less the zero point; an odd number
 * of taps is filled up with zero. The planes hold int16 less the zero point.
 * Bounds: any kernel of up to 33025 taps, any stride, dilation and number of channels. */
#include "dwconv.h"

#define LANES 8

static void copy_bytes(const struct Depthwise *s, int32_t channel, int32_t first, int32_t rows) {
    copy_rows(U8_AS_I16, s, channel, first, rows);
}

struct Window {
    int32_t height, width, stride;
    int32_t row_step, column_step; /* bytes from tap to tap */
};

struct Sums {
    v128_t low, high;
};

/* Two taps of eight channels. */
INLINE void multiply_add(struct Sums *sum, v128_t a, v128_t b, v128_t w0, v128_t w1) {
    const v128_t low = wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const v128_t high = wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    sum->low = wasm_i32x4_add(sum->low, wasm_i32x4_dot_i16x8(low, w0));
    sum->high = wasm_i32x4_add(sum->high, wasm_i32x4_dot_i16x8(high, w1));
    OPAQUE(sum->low);
    OPAQUE(sum->high);
}

INLINE void tile(const int pixels, const struct Window window, const uint8_t *in, const struct Channels *channels,
                 uint8_t *out, const struct Depthwise *s, struct Clamp clamp, int signs) {
    const int taps = window.height * window.width;
    const int16_t *w = (const int16_t *)(channels + 1);
    const uint8_t *row[5];
    struct Sums sum[2];
    UNROLL
    for (int ky = 0; ky < window.height; ky++) {
        row[ky] = in + ky * window.row_step;
        OPAQUE(row[ky]);
    }
    UNROLL
    for (int p = 0; p < pixels; p++) {
        sum[p] = (struct Sums){wasm_v128_load(channels->bias), wasm_v128_load(channels->bias + 4)};
    }
    UNROLL
    for (int tap = 0; tap < taps; tap += 2) {
        /* Behind an odd last tap its own value meets a weight of zero. */
        const int next = tap + 1 < taps ? tap + 1 : tap;
        const v128_t w0 = wasm_v128_load(w + 8 * tap), w1 = wasm_v128_load(w + 8 * tap + 8);
        UNROLL
        for (int p = 0; p < pixels; p++) {
            const int32_t pixel = p * window.stride * COLUMN_BYTES;
            const v128_t a = wasm_v128_load(row[tap / window.width] + tap % window.width * COLUMN_BYTES + pixel);
            const v128_t b = wasm_v128_load(row[next / window.width] + next % window.width * COLUMN_BYTES + pixel);
            multiply_add(&sum[p], a, b, w0, w1);
        }
    }
    v128_t margin = full_margin();
    UNROLL
    for (int p = 0; p < pixels; p++) {
        wasm_v128_store64_lane(out + p * s->channels,
                               requantize(sum[p].low, sum[p].high, channels, clamp, signs, &margin), 0);
    }
    if (is_uncertain(margin)) {
        UNROLL
        for (int p = 0; p < pixels; p++) {
            const v128_t bytes = requantize_exactly(sum[p].low, sum[p].high, channels, &s->range);
            wasm_v128_store64_lane(out + p * s->channels, bytes, 0);
        }
    }
}

/* The same with loops, for any kernel and for planes with fewer channels. */
static void tile_of_any(const struct Window *window, const uint8_t *in, const struct Channels *channels, uint8_t *out,
                        const struct Range *range, int32_t count) {
    const int16_t *w = (const int16_t *)(channels + 1);
    const int32_t taps = window->height * window->width;
    struct Sums sum = {wasm_v128_load(channels->bias), wasm_v128_load(channels->bias + 4)};
    const uint8_t *row = in;
    int32_t kx = 0;
    for (int32_t tap = 0; tap < taps; tap += 2, w += 16) {
        const v128_t a = wasm_v128_load(row + kx * window->column_step);
        if (++kx == window->width) kx = 0, row += window->row_step;
        const v128_t b = tap + 1 < taps ? wasm_v128_load(row + kx * window->column_step) : a;
        if (++kx == window->width) kx = 0, row += window->row_step;
        multiply_add(&sum, a, b, wasm_v128_load(w), wasm_v128_load(w + 8));
    }
    store_u8(out, requantize_exactly(sum.low, sum.high, channels, range), count);
}

/* One output row of one plane. `count`: its channels, 8 or fewer in the last plane. */
INLINE void plane_row(const int known, struct Window window, const struct Depthwise *s, const uint8_t *in,
                      const struct Channels *channels, uint8_t *out, int32_t count, struct Clamp clamp, int signs) {
    const int32_t step = window.stride * COLUMN_BYTES;
    int32_t x = s->out_width;
    if (known) {
        NO_UNROLL
        for (; x >= 2; x -= 2, in += 2 * step, out += 2 * s->channels)
            tile(2, window, in, channels, out, s, clamp, signs);
        if (x > 0) tile(1, window, in, channels, out, s, clamp, signs);
    } else {
        NO_UNROLL
        for (; x > 0; x--, in += step, out += s->channels) tile_of_any(&window, in, channels, out, &s->range, count);
    }
}

/* Output rows from `start` on, of the planes from `channel` on, whose input has been copied. */
INLINE void block(const int known, struct Window window, const struct Depthwise *s, int32_t channel, int32_t start,
                  int signs) {
    const struct Clamp clamp = clamp_to(s->range);
    const int32_t rows = min_i32(s->block, s->out_height - start), row = s->padded_width * COLUMN_BYTES;
    const int32_t plane = plane_bytes(s, block_rows(s, rows)), end = min_i32(s->channels, channel + PLANES * LANES);
    const int32_t packed = sizeof(struct Channels) + 32 * ((window.height * window.width + 1) / 2);
    const uint8_t *w = s->weights + channel / LANES * packed, *in = s->planes;
    for (int32_t c = channel; c < end; c += LANES, in += plane, w += packed) {
        const struct Channels *channels = (const struct Channels *)w;
        uint8_t *out = s->output + start * s->out_width * s->channels + c;
        const int32_t count = min_i32(LANES, s->channels - c);
        for (int32_t y = 0; y < rows; y++, out += s->out_width * s->channels) {
            const uint8_t *from = in + y * s->stride_y * row;
            if (count == LANES) plane_row(known, window, s, from, channels, out, LANES, clamp, signs);
            else plane_row(0, window, s, from, channels, out, count, clamp, signs);
        }
    }
}

INLINE void convolve_as(const int known, struct Window window, const struct Depthwise *s, int signs) {
    window.row_step = s->dilation_y * s->padded_width * COLUMN_BYTES;
    for (int32_t channel = 0; channel < s->channels; channel += PLANES * LANES) {
        for (int32_t start = 0; start < s->out_height; start += s->block) {
            const int32_t rows = block_rows(s, min_i32(s->block, s->out_height - start));
            copy_bytes(s, channel, start * s->stride_y - s->top, rows);
            block(known, window, s, channel, start, signs);
        }
    }
}

INLINE void convolve(struct Window window, const struct Depthwise *s) {
    if (s->signs) convolve_as(1, window, s, 1);
    else convolve_as(1, window, s, 0);
}

EXPORT(qu8_dwconv_2x8c2_dot16x2) void qu8_dwconv_2x8c2_dot16x2(const struct Depthwise *s) {
    const int32_t size = s->kernel_height == s->kernel_width && s->dilation_x == 1 ? s->kernel_height : 0;
    if (size == 3 && s->stride_x == 1) convolve((struct Window){3, 3, 1, 0, COLUMN_BYTES}, s);
    else if (size == 3 && s->stride_x == 2) convolve((struct Window){3, 3, 2, 0, COLUMN_BYTES}, s);
    else if (size == 5 && s->stride_x == 1) convolve((struct Window){5, 5, 1, 0, COLUMN_BYTES}, s);
    else if (size == 5 && s->stride_x == 2) convolve((struct Window){5, 5, 2, 0, COLUMN_BYTES}, s);
    else
        convolve_as(0, (struct Window){s->kernel_height, s->kernel_width, s->stride_x, 0, s->dilation_x * COLUMN_BYTES},
                    s, 0);
}
