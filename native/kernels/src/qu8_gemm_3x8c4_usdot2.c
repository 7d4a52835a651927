/* Convolution of uint8 by the relaxed dot product of pairs of bytes (pmaddubsw on x86), for CPUs where that of four bytes
 * is not exact. A pair of products is summed in 16 bits, and two pairs are added before they are widened. So the weights
 * of one sign in a lane may add up to LIMIT at most, since 255 · LIMIT still fits. What exceeds LIMIT, little in most
 * networks, is kept as overflow weights: further weights, for four places along K each. The result is TFLite's, exactly.
 * Tile: 3 rows × 8 output channels in 6 accumulators of 32 bits, 8 along K at a time; the rest of the rows one by one.
 * Panel: struct Channels, struct OverflowHeader, weights [K / 8][2][8][4] int8, filled up with zero, then each struct
 * OverflowWeights. The weights are less their zero point, and the bias includes the terms of the input's zero point.
 * Bounds: K ≤ 33025 as in qu8_gemm_4x8c2_dot16x2.c; reads up to 7 bytes behind a row. */
#include "gemm.h"

#define ROWS PAIRS_TILE_ROWS
#define LIMIT 127

/* Scratch of qu8_packw_x8c4_usdot2. */
_Static_assert(PAIRS_REST_BYTES == sizeof(int16_t[8][8]) && PAIRS_SUMS_BYTES == sizeof(int32_t[8]), "rest and sums");

/* Whether the dot product of pairs takes full bytes for what they are, as far as the sums fit 16 bits. */
EXPORT(usdot2_is_exact) int32_t usdot2_is_exact(int32_t weight, int32_t byte) {
    v128_t sums = wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_i8x16_splat(weight), wasm_u8x16_splat(byte));
    return wasm_i16x8_extract_lane(sums, 0) == 2 * weight * byte;
}

INLINE void add_widened(v128_t *sum, v128_t pairs, v128_t ones) {
    *sum = wasm_i32x4_add(*sum, wasm_i32x4_dot_i16x8(pairs, ones));
    OPAQUE(*sum);
}

INLINE void tile(const int rows, const uint8_t *a, const struct Channels *panel, const struct Conv *s, uint8_t *out,
                 int32_t out_channels, struct Clamp clamp, int signs) {
    v128_t sum[ROWS][2], ones = wasm_i16x8_splat(1);
    const uint8_t *row[ROWS];
    OPAQUE(ones);
    UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r][0] = wasm_v128_load(panel->bias);
        sum[r][1] = wasm_v128_load(panel->bias + 4);
        row[r] = a + r * s->reduction;
        OPAQUE(row[r]);
    }
    const struct OverflowHeader *overflow = (const struct OverflowHeader *)(panel + 1);
    const int8_t *w = (const int8_t *)(overflow + 1);
    NO_UNROLL
    for (int32_t k = 0; k < s->reduction; k += 8) {
        const v128_t w0 = wasm_v128_load(w), w1 = wasm_v128_load(w + 16);
        const v128_t w2 = wasm_v128_load(w + 32), w3 = wasm_v128_load(w + 48);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const v128_t x = wasm_v128_load32_splat(row[r]), y = wasm_v128_load32_splat(row[r] + 4);
            add_widened(
                &sum[r][0],
                wasm_i16x8_add(wasm_i16x8_relaxed_dot_i8x16_i7x16(w0, x), wasm_i16x8_relaxed_dot_i8x16_i7x16(w2, y)),
                ones);
            add_widened(
                &sum[r][1],
                wasm_i16x8_add(wasm_i16x8_relaxed_dot_i8x16_i7x16(w1, x), wasm_i16x8_relaxed_dot_i8x16_i7x16(w3, y)),
                ones);
            row[r] += 8;
            OPAQUE(row[r]);
        }
        w += 64;
        OPAQUE(w);
    }
    const struct OverflowWeights *entry = (const struct OverflowWeights *)w;
    NO_UNROLL
    for (int32_t i = 0; i < overflow->count; i++, entry++) {
        const v128_t w0 = wasm_v128_load(entry->weights), w1 = wasm_v128_load(entry->weights + 4);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const v128_t x = wasm_v128_load32_splat(a + r * s->reduction + entry->offset);
            add_widened(&sum[r][0], wasm_i16x8_relaxed_dot_i8x16_i7x16(w0, x), ones);
            add_widened(&sum[r][1], wasm_i16x8_relaxed_dot_i8x16_i7x16(w1, x), ones);
        }
    }
    store_requantized(rows, sum, panel, s, out, out_channels, clamp, signs);
}

INLINE void block(const struct Conv *s, const uint8_t *a, int32_t start, int32_t rows, int signs) {
    const struct Clamp clamp = clamp_to(s->range);
    const uint8_t *panel = s->weights;
    for (int32_t n = 0; n < s->out_channels; n += 8) {
        const struct Channels *channels = (const struct Channels *)panel;
        const struct OverflowHeader *overflow = (const struct OverflowHeader *)(channels + 1);
        const int32_t out_channels = min_i32(8, s->out_channels - n);
        const uint8_t *from = a;
        uint8_t *out = s->output + start * s->out_channels + n;
        int32_t m = rows;
        NO_UNROLL
        for (; m >= ROWS; m -= ROWS, from += ROWS * s->reduction, out += ROWS * s->out_channels) {
            tile(ROWS, from, channels, s, out, out_channels, clamp, signs);
        }
        NO_UNROLL
        for (; m > 0; m--, from += s->reduction, out += s->out_channels)
            tile(1, from, channels, s, out, out_channels, clamp, signs);
        panel = (const uint8_t *)(overflow + 1) + 8 * ((s->reduction + 7) & ~7) +
                overflow->count * sizeof(struct OverflowWeights);
    }
}

EXPORT(qu8_gemm_3x8c4_usdot2) void qu8_gemm_3x8c4_usdot2(const struct Conv *s) {
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        const uint8_t *a = matrix_rows(s, start, rows, 1);
        if (s->signs) block(s, a, start, rows, 1);
        else block(s, a, start, rows, 0);
    }
}

/* Takes from a weight what the room for its sign still holds. */
INLINE int32_t take(int32_t *weight, int32_t *positive, int32_t *negative) {
    int32_t *room = *weight < 0 ? negative : positive;
    const int32_t size = min_i32(*weight < 0 ? -*weight : *weight, *room);
    const int32_t taken = *weight < 0 ? -size : size;
    *room -= size;
    *weight -= taken;
    return taken;
}

/* Whether eight weights of an output channel fit without overflow; lanes are made of 0, 1, 4, 5 and of 2, 3, 6, 7. */
INLINE int fits(v128_t weights) {
    const v128_t ones = wasm_i16x8_splat(1), none = wasm_i16x8_splat(0);
    v128_t positive = wasm_i32x4_dot_i16x8(wasm_i16x8_max(weights, none), ones);
    v128_t negative = wasm_i32x4_dot_i16x8(wasm_i16x8_min(weights, none), ones);
    positive = wasm_i32x4_add(positive, wasm_i32x4_shuffle(positive, positive, 2, 3, 0, 1));
    negative = wasm_i32x4_add(negative, wasm_i32x4_shuffle(negative, negative, 2, 3, 0, 1));
    const v128_t beyond = wasm_v128_or(wasm_i32x4_gt(positive, wasm_i32x4_splat(LIMIT)),
                                       wasm_i32x4_lt(negative, wasm_i32x4_splat(-LIMIT)));
    return !wasm_v128_any_true(beyond);
}

INLINE v128_t eight_weights(const uint8_t *from, int32_t left, int32_t flip, int32_t zero) {
    uint64_t bits = *(const uint64_t *)from;
    v128_t weights = wasm_u16x8_extend_low_u8x16(
        wasm_v128_xor(wasm_i64x2_splat((int64_t)bits), wasm_i8x16_splat(flip)));
    weights = wasm_i16x8_sub(weights, wasm_i16x8_splat(zero));
    const v128_t places = wasm_i16x8_const(0, 1, 2, 3, 4, 5, 6, 7);
    return wasm_v128_and(weights, wasm_i16x8_lt(places, wasm_i16x8_splat(min_i32(left, 8))));
}

/* What lies in `rest` is left of the eight weights of each output channel; makes it overflow weights. */
INLINE int32_t write_overflow(int16_t rest[8][8], struct OverflowWeights *to, int32_t offset) {
    int32_t count = 0;
    for (int32_t four = 0; four < 2; four++) {
        for (int32_t more = 1; more;) {
            more = 0;
            for (int32_t channel = 0; channel < 8; channel++) {
                for (int32_t pair = 0; pair < 2; pair++) {
                    int32_t positive = LIMIT, negative = LIMIT;
                    for (int32_t i = 0; i < 2; i++) {
                        const int32_t place = 4 * four + 2 * pair + i;
                        int32_t weight = rest[channel][place];
                        const int32_t taken = take(&weight, &positive, &negative);
                        rest[channel][place] = (int16_t)weight;
                        if (taken) more = 1;
                        if (to) to[count].weights[channel][2 * pair + i] = (int8_t)taken;
                    }
                }
            }
            if (!more) break;
            if (to) to[count].offset = offset + 4 * four;
            count++;
        }
    }
    return count;
}

/* Packs the weights of eight output channels [8][K] as packw.c does; those beyond `out_channels` are taken for zero.
 * With `to` 0 nothing is written but `rest`, [8][8] int16 of scratch.
 * @returns the number of struct OverflowWeights; room for one more is needed. */
EXPORT(qu8_packw_x8c4_usdot2) int32_t qu8_packw_x8c4_usdot2(const uint8_t *from, uint8_t *to, int16_t (*rest)[8],
                                                            int32_t *sums, int32_t reduction, int32_t out_channels,
                                                            int32_t flip, int32_t zero) {
    struct OverflowHeader *head = (struct OverflowHeader *)to;
    int8_t *weights = to ? (int8_t *)(head + 1) : 0;
    struct OverflowWeights *overflow = to ? (struct OverflowWeights *)(weights + 8 * ((reduction + 7) & ~7)) : 0;
    int32_t count = 0;
    for (int32_t channel = 0; channel < 8; channel++) sums[channel] = 0;
    for (int32_t k = 0; k < reduction; k += 8) {
        int all = 1;
        for (int32_t channel = 0; channel < out_channels; channel++) {
            all &= fits(eight_weights(from + channel * reduction + k, reduction - k, flip, zero));
        }
        if (all && !to) continue;
        for (int32_t channel = 0; channel < 8; channel++) {
            wasm_v128_store(rest[channel], channel < out_channels ? eight_weights(from + channel * reduction + k,
                                                                                  reduction - k, flip, zero)
                                                                  : wasm_i16x8_splat(0));
            for (int32_t pair = 0; pair < 2; pair++) {
                int32_t positive = LIMIT, negative = LIMIT;
                for (int32_t i = 0; i < 4; i++) {
                    const int32_t four = i >> 1, place = 4 * four + 2 * pair + (i & 1);
                    int32_t weight = rest[channel][place];
                    sums[channel] += weight;
                    const int32_t taken = take(&weight, &positive, &negative);
                    rest[channel][place] = (int16_t)weight;
                    if (to) weights[8 * k + 32 * four + 4 * channel + 2 * pair + (i & 1)] = (int8_t)taken;
                }
            }
        }
        if (!all) count += write_overflow(rest, to ? overflow + count : 0, k);
    }
    if (to) head->count = count;
    return count;
}
