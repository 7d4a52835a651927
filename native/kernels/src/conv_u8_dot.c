/* Convolution of bytes by the relaxed byte dot product, for CPUs where that is exact for full bytes: where one product
 * sums four (VNNI). `dot_is_exact` says whether this CPU's is. The result is TFLite's, exactly.
 * Tile: 6 rows × 8 columns in 12 accumulators of 32 bits; the rest of the rows one by one.
 * Panel: struct Channels, then weights [depth / 4][8][4] int8, filled up with zero. The bias holds what follows from
 * the input's zero point; what follows from the weights' is −weights_zero · the sum of the row, kept in `wide` [block].
 * Bounds: depth ≤ 33025 as in conv_u8_wide.c; reads up to 3 bytes behind a row. */
#include "conv.h"

/* Four products of 127 · 255: 129540 does not fit the 16 bits in which other CPUs add pairs. */
EXPORT(dot_is_exact) int32_t dot_is_exact(int32_t weight, int32_t byte) {
    v128_t sums = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_i8x16_splat(weight), wasm_u8x16_splat(byte),
                                                         wasm_i32x4_splat(0));
    return wasm_i32x4_extract_lane(sums, 0) == 4 * weight * byte;
}

static void row_offsets(const uint8_t *from, int32_t *to, int32_t rows, int32_t depth, int32_t factor) {
    for (int32_t r = 0; r < rows && factor == 0; r++) to[r] = 0;
    for (int32_t r = 0; r < rows && factor != 0; r++) {
        int32_t k = 0;
        v128_t sums = wasm_i32x4_splat(0);
        for (; k + 16 <= depth; k += 16, from += 16) {
            sums = wasm_i32x4_add(sums, wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(wasm_v128_load(from))));
        }
        int32_t sum = wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1) +
                      wasm_i32x4_extract_lane(sums, 2) + wasm_i32x4_extract_lane(sums, 3);
        NO_UNROLL
        for (; k < depth; k++) sum += *from++;
        to[r] = sum * factor;
    }
}

INLINE void tile(const int rows, const uint8_t *a, const int32_t *offsets, const struct Channels *panel,
                 const struct Conv *s, uint8_t *out, int32_t columns, struct Clamp clamp, int signs) {
    v128_t sum[6][2];
    const uint8_t *row[6];
    UNROLL
    for (int r = 0; r < rows; r++) {
        v128_t offset = wasm_v128_load32_splat(offsets + r);
        sum[r][0] = wasm_i32x4_add(wasm_v128_load(panel->bias), offset);
        sum[r][1] = wasm_i32x4_add(wasm_v128_load(panel->bias + 4), offset);
        row[r] = a + r * s->depth;
        OPAQUE(row[r]);
    }
    const int8_t *w = (const int8_t *)(panel + 1);
    int32_t k = s->depth;
    NO_UNROLL
    for (; k >= 16; k -= 16) {
        UNROLL
        for (int u = 0; u < 4; u++) {
            v128_t w0 = wasm_v128_load(w + 32 * u), w1 = wasm_v128_load(w + 32 * u + 16);
            UNROLL
            for (int r = 0; r < rows; r++) {
                v128_t x = wasm_v128_load32_splat(row[r] + 4 * u);
                sum[r][0] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w0, x, sum[r][0]);
                sum[r][1] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w1, x, sum[r][1]);
                OPAQUE(sum[r][0]);
                OPAQUE(sum[r][1]);
            }
        }
        w += 128;
        OPAQUE(w);
        UNROLL
        for (int r = 0; r < rows; r++) {
            row[r] += 16;
            OPAQUE(row[r]);
        }
    }
    NO_UNROLL
    for (; k > 0; k -= 4, w += 32) {
        v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 16);
        UNROLL
        for (int r = 0; r < rows; r++, row[r - 1] += 4) {
            v128_t x = wasm_v128_load32_splat(row[r]);
            sum[r][0] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w0, x, sum[r][0]);
            sum[r][1] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w1, x, sum[r][1]);
        }
    }
    v128_t doubt = no_doubt();
    UNROLL
    for (int r = 0; r < rows; r++) {
        store_u8(out + r * s->columns, requantize(sum[r][0], sum[r][1], panel, clamp, signs, &doubt), columns);
    }
    if (is_doubtful(doubt)) {
        UNROLL
        for (int r = 0; r < rows; r++) {
            store_u8(out + r * s->columns, requantize_exactly(sum[r][0], sum[r][1], panel, &s->range), columns);
        }
    }
}

INLINE void block(const struct Conv *s, const uint8_t *a, int32_t start, int32_t rows, int signs) {
    const struct Clamp clamp = clamp_to(s->range);
    const uint8_t *panel = s->weights;
    const int32_t panel_bytes = sizeof(struct Channels) + 8 * ((s->depth + 3) & ~3);
    for (int32_t n = 0; n < s->columns; n += 8, panel += panel_bytes) {
        const struct Channels *channels = (const struct Channels *)panel;
        const int32_t columns = min_i32(8, s->columns - n);
        const uint8_t *from = a;
        const int32_t *offsets = (const int32_t *)s->wide;
        uint8_t *out = s->output + start * s->columns + n;
        int32_t m = rows;
        NO_UNROLL
        for (; m >= 6; m -= 6, from += 6 * s->depth, offsets += 6, out += 6 * s->columns) {
            tile(6, from, offsets, channels, s, out, columns, clamp, signs);
        }
        NO_UNROLL
        for (; m > 0; m--, from += s->depth, offsets++, out += s->columns) {
            tile(1, from, offsets, channels, s, out, columns, clamp, signs);
        }
    }
}

EXPORT(conv_u8_dot) void conv_u8_dot(const struct Conv *s) {
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        const uint8_t *a = matrix_rows(s, start, rows, 1);
        row_offsets(a, (int32_t *)s->wide, rows, s->depth, -s->weights_zero);
        if (s->signs) block(s, a, start, rows, 1);
        else block(s, a, start, rows, 0);
    }
}
