/* Depthwise convolution of uint8 by the relaxed byte dot product, for CPUs where that is exact, unsigned or signed; see
 * qu8_gemm_4x12c4_usdot.c. The result is TFLite's, exactly.
 * One product sums four taps of a filter's row, for which four pixels of an input row have to lie side by side, channel
 * by channel. Sixteen channels at a time, each input row is interleaved once, into a ring of as many rows as the kernel
 * covers, where all of its output rows find it: [row][4][column][4 channels][4 pixels], with a column for each output
 * pixel. The ring includes the padding, so the tiles do not handle edges.
 * Tile: 2 rows × 4 pixels × 4 channels in 8 accumulators of 32 bits for kernels of 3 rows of up to 4 taps. The rows
 * that both output rows use are then loaded once, and V8 checks their bounds once. The last tile of a row and
 * the last row begin earlier if too little is left for them. 4 pixels × 4 channels for any other kernel.
 * Packing: for each 8 channels struct DepthwisePanel, whose weights are [part][2][kernel height][kernel width / 4][4
 * channels][4 taps] int8, rows filled up with zero. The second part is the excess of weights beyond 8 bits. The bias
 * includes the terms of the input's zero point. For a signed product no part is −128.
 * Scratch: `planes` is struct DepthwiseSpare and the ring.
 * Bounds: one filter for each channel, no horizontal dilation, a horizontal stride of 1, 2 or 4 if kernels are wider
 * than 4; reads up to 15 bytes behind a pixel. */
#include "dwconv.h"

/* Channels of a ring and of a tile. */
#define WIDTH 16
#define QUAD 4
/* Output rows of a tile. */
#define ROWS 2
/* Pixels of a tile; pixels, and so taps, of a column. */
#define PIXELS DOT_TAPS

_Static_assert(sizeof(struct DepthwiseSpare) == PIXELS * QUAD * 4, "a tile: PIXELS pixels, QUAD channels");

/* The ring. */
struct Ring {
    uint8_t *rows;
    int32_t count;     /* of rows */
    int32_t row, quad; /* bytes of a row and of four of its channels */
};

/* Fours of taps of a row, and columns from one to the next. */
INLINE int32_t taps_of(const struct Depthwise *s) { return (s->kernel_width + PIXELS - 1) / PIXELS; }
INLINE int32_t taps_step(const struct Depthwise *s) { return PIXELS / s->stride_x; }

INLINE struct Ring ring_of(const struct Depthwise *s) {
    const int32_t quad = (s->out_width + (taps_of(s) - 1) * taps_step(s)) * COLUMN_BYTES;
    const int32_t reach = (s->kernel_height - 1) * s->dilation_y + 1;
    return (struct Ring){s->planes + sizeof(struct DepthwiseSpare), reach + (ROWS - 1) * s->stride_y,
                         WIDTH / QUAD * quad, quad};
}

/* Where row `row` of the padded input lies. */
INLINE uint8_t *ring_row(struct Ring ring, int32_t row) { return ring.rows + row % ring.count * ring.row; }

/* Sixteen channels of two neighbouring pixels. */
struct Pair {
    v128_t low, high;
};

INLINE struct Pair pair_of(v128_t a, v128_t b) {
    return (struct Pair){wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                         wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)};
}

INLINE struct Pair flipped(struct Pair x, v128_t flip) {
    return (struct Pair){wasm_v128_xor(x.low, flip), wasm_v128_xor(x.high, flip)};
}

INLINE void store_column(uint8_t *to, int32_t quad, struct Pair a, struct Pair b) {
    wasm_v128_store(to, wasm_i16x8_shuffle(a.low, b.low, 0, 8, 1, 9, 2, 10, 3, 11));
    wasm_v128_store(to + quad, wasm_i16x8_shuffle(a.low, b.low, 4, 12, 5, 13, 6, 14, 7, 15));
    wasm_v128_store(to + 2 * quad, wasm_i16x8_shuffle(a.high, b.high, 0, 8, 1, 9, 2, 10, 3, 11));
    wasm_v128_store(to + 3 * quad, wasm_i16x8_shuffle(a.high, b.high, 4, 12, 5, 13, 6, 14, 7, 15));
}

INLINE v128_t pixel_at(const struct Depthwise *s, const uint8_t *from, int32_t x) {
    const int inside = from && (uint32_t)x < (uint32_t)s->in_width;
    return inside ? wasm_v128_load(from + x * s->in_channels) : wasm_u8x16_splat(s->input_zero);
}

/* Columns that may have padding, up to `end`. `from`: 0 where all is. */
static __attribute__((noinline)) void interleave_edge(const struct Depthwise *s, const uint8_t *from, uint8_t *to,
                                                      int32_t quad, int32_t column, int32_t end) {
    const v128_t flip = wasm_i8x16_splat(s->flip);
    NO_UNROLL
    for (; column < end; column++) {
        const int32_t x = column * s->stride_x - s->left;
        const struct Pair first = pair_of(pixel_at(s, from, x), pixel_at(s, from, x + 1));
        const struct Pair second = pair_of(pixel_at(s, from, x + 2), pixel_at(s, from, x + 3));
        store_column(to + column * COLUMN_BYTES, quad, flipped(first, flip), flipped(second, flip));
    }
}

INLINE v128_t load_flipped(const uint8_t *from, v128_t flip) { return wasm_v128_xor(wasm_v128_load(from), flip); }

/* Columns without padding; each has pixels of the one before it. */
INLINE void interleave(const int stride, const uint8_t *from, int32_t pixel, v128_t flip, uint8_t *to, int32_t quad,
                       int32_t count) {
    v128_t last = load_flipped(from + stride * pixel, flip);
    struct Pair pairs[] = {pair_of(load_flipped(from, flip), load_flipped(from + pixel, flip)), {last, last}};
    if (stride == 1) {
        const v128_t first = last;
        last = load_flipped(from + 2 * pixel, flip);
        pairs[1] = pair_of(first, last);
    }
    from += (stride == 1 ? 3 : 2) * pixel;
    NO_UNROLL
    for (; count > 0; count--, to += COLUMN_BYTES, from += stride * pixel) {
        if (stride == 1) {
            const v128_t next = load_flipped(from, flip);
            const struct Pair pair = pair_of(last, next);
            store_column(to, quad, pairs[0], pair);
            pairs[0] = pairs[1], pairs[1] = pair, last = next;
        } else {
            const struct Pair pair = pair_of(load_flipped(from, flip), load_flipped(from + pixel, flip));
            store_column(to, quad, pairs[0], pair);
            pairs[0] = pair;
        }
    }
}

/* Interleaves row `row` of the padded input, sixteen channels from `channel` on. */
static __attribute__((noinline)) void interleave_row(const struct Depthwise *s, int32_t channel, int32_t row) {
    const struct Ring ring = ring_of(s);
    const int32_t y = row - s->top, columns = ring.quad / COLUMN_BYTES, stride = s->stride_x, pixel = s->in_channels;
    const int inside = (uint32_t)y < (uint32_t)s->in_height;
    const uint8_t *from = inside ? s->input + y * s->in_width * pixel + channel : 0;
    uint8_t *to = ring_row(ring, row);
    int32_t first = columns, end = columns;
    if (inside && stride <= 2 && s->in_width >= PIXELS) {
        first = min_i32((s->left + stride - 1) / stride, columns);
        end = max_i32(first, min_i32((s->in_width - PIXELS + s->left) / stride + 1, columns));
    }
    interleave_edge(s, from, to, ring.quad, 0, first);
    const uint8_t *inner = from + (first * stride - s->left) * pixel;
    const v128_t flip = wasm_i8x16_splat(s->flip);
    if (end > first && stride == 1)
        interleave(1, inner, pixel, flip, to + first * COLUMN_BYTES, ring.quad, end - first);
    else if (end > first) interleave(2, inner, pixel, flip, to + first * COLUMN_BYTES, ring.quad, end - first);
    interleave_edge(s, from, to, ring.quad, end, columns);
}

/* Four channels. */
struct Quad {
    const struct DepthwisePanel *panel;
    int32_t first; /* of the eight channels: 0 or 4 */
};

/* Stores `pixels` times `count` of the bytes [pixel][channel]. */
static __attribute__((noinline)) void store_some(uint8_t *to, int32_t stride, v128_t bytes, int32_t pixels,
                                                 int32_t count) {
    NO_UNROLL
    for (int32_t p = 0; p < min_i32(pixels, PIXELS); p++, to += stride) {
        uint32_t four = (uint32_t)wasm_i32x4_extract_lane(bytes, 0);
        bytes = wasm_i32x4_shuffle(bytes, bytes, 1, 2, 3, 0);
        NO_UNROLL
        for (int32_t i = 0; i < count; i++, four >>= 8) to[i] = (uint8_t)four;
    }
}

/* Stores the sums in struct DepthwiseSpare as bytes. */
static __attribute__((noinline)) void store_exactly(const struct Depthwise *s, const struct Channels *channels,
                                                    int32_t first, uint8_t *out, int32_t pixels, int32_t count) {
    const struct DepthwiseSpare *spare = (const struct DepthwiseSpare *)s->planes;
    v128_t exact[PIXELS];
    UNROLL
    for (int p = 0; p < PIXELS; p++) {
        exact[p] = scale_exactly(wasm_v128_load(spare->sums[p]), channels, first, &s->range);
    }
    store_some(out, s->channels,
               wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(exact[0], exact[1]),
                                       wasm_i16x8_narrow_i32x4(exact[2], exact[3])),
               pixels, count);
}

INLINE void add_product(v128_t *sum, v128_t weights, v128_t bytes) {
    *sum = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights, bytes, *sum);
    OPAQUE(*sum);
}

/* Four pixels of four channels → bytes. */
INLINE v128_t bytes_of(const v128_t sum[PIXELS], struct Factors factors, struct Clamp clamp, const int signs,
                       v128_t *margin) {
    v128_t whole[PIXELS];
    UNROLL
    for (int p = 0; p < PIXELS; p++) whole[p] = scale_by(sum[p], factors, signs, margin);
    return join_bytes(join_whole(whole[0], whole[1], clamp), join_whole(whole[2], whole[3], clamp), clamp);
}

INLINE void spare_sums(const struct Depthwise *s, const v128_t sum[PIXELS]) {
    UNROLL
    for (int p = 0; p < PIXELS; p++) wasm_v128_store(((struct DepthwiseSpare *)s->planes)->sums[p], sum[p]);
}

/* Stores bytes of four pixels, `stride` apart. */
INLINE void store_pixels(uint8_t *out, int32_t stride, v128_t bytes) {
    uint8_t *const to[] = {out, out + stride, out + 2 * stride, out + 3 * stride};
    wasm_v128_store32_lane(to[0], bytes, 0);
    wasm_v128_store32_lane(to[1], bytes, 1);
    wasm_v128_store32_lane(to[2], bytes, 2);
    wasm_v128_store32_lane(to[3], bytes, 3);
}

/* The weights of four channels in a part. */
INLINE const int8_t *weights_of(const struct Depthwise *s, struct Quad quad, int part) {
    return quad.panel->weights + (2 * part + quad.first / QUAD) * s->kernel_height * taps_of(s) * COLUMN_BYTES;
}

/* Two output rows of four channels by a kernel of three rows. `row`: the rows of columns. */
INLINE void rows_of_three(const int stride, const int parts, const struct Depthwise *s, const uint8_t *row[5],
                          struct Quad quad, struct Clamp clamp, uint8_t *out) {
    const struct Factors factors = factors_of(&quad.panel->channels, quad.first, clamp);
    const v128_t bias = wasm_v128_load(quad.panel->channels.bias + quad.first);
    v128_t w[2][3];
    UNROLL
    for (int part = 0; part < parts; part++) {
        UNROLL
        for (int ky = 0; ky < 3; ky++) w[part][ky] = wasm_v128_load(weights_of(s, quad, part) + ky * COLUMN_BYTES);
    }
    const int32_t pixel = s->channels;
    uint8_t *next = out + s->out_width * pixel;
    int32_t left = s->out_width;
    NO_UNROLL
    for (;;) {
        v128_t sum[ROWS][PIXELS] = {{bias, bias, bias, bias}, {bias, bias, bias, bias}};
        UNROLL
        for (int r = 0; r < 3 + stride; r++) {
            UNROLL
            for (int p = 0; p < PIXELS; p++) {
                v128_t x = wasm_v128_load(row[r] + p * COLUMN_BYTES);
                OPAQUE(x);
                UNROLL
                for (int part = 0; part < parts; part++) {
                    if (r < 3) add_product(&sum[0][p], w[part][r], x);
                    if (r >= stride) add_product(&sum[1][p], w[part][r - stride], x);
                }
            }
        }
        v128_t margin = full_margin();
        const v128_t first = bytes_of(sum[0], factors, clamp, 0, &margin);
        const v128_t second = bytes_of(sum[1], factors, clamp, 0, &margin);
        if (is_uncertain(margin)) {
            spare_sums(s, sum[0]);
            store_exactly(s, &quad.panel->channels, quad.first, out, PIXELS, QUAD);
            spare_sums(s, sum[1]);
            store_exactly(s, &quad.panel->channels, quad.first, next, PIXELS, QUAD);
        } else {
            store_pixels(out, pixel, first);
            store_pixels(next, pixel, second);
        }
        left -= PIXELS;
        if (left <= 0) break;
        const int32_t pixels = min_i32(left, PIXELS);
        left = max_i32(left, PIXELS);
        out += pixels * pixel;
        next += pixels * pixel;
        UNROLL
        for (int r = 0; r < 3 + stride; r++) {
            row[r] += pixels * COLUMN_BYTES;
            OPAQUE(row[r]);
        }
    }
}

/* An output row of four channels by any kernel. `top`: the first row of the padded input; `at`: where the channels lie in
 * rows of the ring. */
INLINE void row_of_any(const struct Depthwise *s, struct Ring ring, int32_t top, int32_t at, struct Quad quad,
                       struct Clamp clamp, uint8_t *out, int32_t count) {
    const struct Factors factors = factors_of(&quad.panel->channels, quad.first, clamp);
    const int32_t taps = taps_of(s), step = taps_step(s) * COLUMN_BYTES;
    for (int32_t x = 0; x < s->out_width; x += PIXELS, out += PIXELS * s->channels) {
        const v128_t bias = wasm_v128_load(quad.panel->channels.bias + quad.first);
        v128_t sum[PIXELS] = {bias, bias, bias, bias};
        for (int32_t part = 0; part < quad.panel->parts; part++) {
            const int8_t *w = weights_of(s, quad, part);
            for (int32_t ky = 0; ky < s->kernel_height; ky++) {
                const uint8_t *row = ring_row(ring, top + ky * s->dilation_y) + at + x * COLUMN_BYTES;
                NO_UNROLL
                for (int32_t i = taps; i > 0; i--, w += COLUMN_BYTES, row += step) {
                    const v128_t weights = wasm_v128_load(w);
                    UNROLL
                    for (int p = 0; p < PIXELS; p++)
                        add_product(&sum[p], weights, wasm_v128_load(row + p * COLUMN_BYTES));
                }
            }
        }
        v128_t margin = full_margin();
        const v128_t bytes = bytes_of(sum, factors, clamp, 1, &margin);
        const int32_t pixels = s->out_width - x;
        if (is_uncertain(margin)) {
            spare_sums(s, sum);
            store_exactly(s, &quad.panel->channels, quad.first, out, pixels, count);
        } else if (pixels < PIXELS || count < QUAD) {
            store_some(out, s->channels, bytes, pixels, count);
        } else {
            store_pixels(out, s->channels, bytes);
        }
    }
}

/* `stride`: the vertical one of a kernel of three rows, 0 for any kernel. */
INLINE void convolve(const int stride, const struct Depthwise *s) {
    const struct Clamp clamp = clamp_to(s->range);
    const struct Ring ring = ring_of(s);
    const int32_t panel = sizeof(struct DepthwisePanel) + 4 * s->kernel_height * taps_of(s) * COLUMN_BYTES;
    const int32_t rows = stride ? ROWS : 1, last = s->out_height - rows;
    for (int32_t channel = 0; channel < s->channels; channel += WIDTH) {
        int32_t filled = 0;
        for (int32_t y = 0;; y = min_i32(y + rows, last)) {
            const int32_t top = y * s->stride_y, end = top + ring.count - (ROWS - rows) * s->stride_y;
            for (filled = max_i32(filled, top); filled < end; filled++) interleave_row(s, channel, filled);
            const uint8_t *in[5];
            UNROLL
            for (int r = 0; r < 3 + stride; r++) in[r] = stride ? ring_row(ring, top + r) : 0;
            for (int32_t own = channel; own < min_i32(channel + WIDTH, s->channels); own += QUAD) {
                const int32_t at = (own - channel) / QUAD * ring.quad;
                const struct Quad quad = {(const struct DepthwisePanel *)(s->weights + own / 8 * panel), own % 8};
                uint8_t *out = s->output + y * s->out_width * s->channels + own;
                if (stride) {
                    const uint8_t *row[5];
                    UNROLL
                    for (int r = 0; r < 3 + stride; r++) row[r] = in[r] + at;
                    if (quad.panel->parts == 1) rows_of_three(stride, 1, s, row, quad, clamp, out);
                    else rows_of_three(stride, 2, s, row, quad, clamp, out);
                } else {
                    row_of_any(s, ring, top, at, quad, clamp, out, min_i32(QUAD, s->channels - own));
                }
            }
            if (y == last) break;
        }
    }
}

EXPORT(qu8_dwconv_2x4x4c4_usdot) void qu8_dwconv_2x4x4c4_usdot(const struct Depthwise *s) {
    const int three = s->kernel_height == 3 && s->kernel_width <= PIXELS && s->dilation_y == 1;
    const int whole = s->out_height >= ROWS && s->out_width >= PIXELS && s->channels % QUAD == 0 && !s->signs;
    if (three && whole && s->stride_y == 1) convolve(1, s);
    else if (three && whole && s->stride_y == 2) convolve(2, s);
    else convolve(0, s);
}
