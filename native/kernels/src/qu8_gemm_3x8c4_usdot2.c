/* Convolution of bytes by the relaxed dot product of pairs of bytes (pmaddubsw on x86), for CPUs where the one of four is
 * not exact. A pair of products is summed in 16 bits, and two pairs are added before they are widened; so in each lane the
 * weights of one sign may come to LIMIT, with which 255 · LIMIT still fits. What is beyond that, little in most networks,
 * is kept as residues: further weights for some of the depth. The result is TFLite's, exactly.
 * Tile: 3 rows × 8 columns in 6 accumulators of 32 bits, 8 of the depth at a time; the rest of the rows one by one.
 * Panel: struct Channels, struct Residues, weights [depth / 8][2][8][4] int8, filled up with zero, then the residues. The
 * weights are less their zero point, and the bias holds what follows from the input's.
 * Bounds: depth ≤ 33025 as in qu8_gemm_4x8c2_dot16x2.c; reads up to 7 bytes behind a row. */
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
                 int32_t columns, struct Clamp clamp, int signs) {
    v128_t sum[ROWS][2], ones = wasm_i16x8_splat(1);
    const uint8_t *row[ROWS];
    OPAQUE(ones);
    UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r][0] = wasm_v128_load(panel->bias);
        sum[r][1] = wasm_v128_load(panel->bias + 4);
        row[r] = a + r * s->depth;
        OPAQUE(row[r]);
    }
    const struct Residues *residues = (const struct Residues *)(panel + 1);
    const int8_t *w = (const int8_t *)(residues + 1);
    NO_UNROLL
    for (int32_t k = 0; k < s->depth; k += 8) {
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
    const struct Residue *residue = (const struct Residue *)w;
    NO_UNROLL
    for (int32_t i = 0; i < residues->count; i++, residue++) {
        const v128_t w0 = wasm_v128_load(residue->weights), w1 = wasm_v128_load(residue->weights + 4);
        UNROLL
        for (int r = 0; r < rows; r++) {
            const v128_t x = wasm_v128_load32_splat(a + r * s->depth + residue->offset);
            add_widened(&sum[r][0], wasm_i16x8_relaxed_dot_i8x16_i7x16(w0, x), ones);
            add_widened(&sum[r][1], wasm_i16x8_relaxed_dot_i8x16_i7x16(w1, x), ones);
        }
    }
    store_requantized(rows, sum, panel, s, out, columns, clamp, signs);
}

INLINE void block(const struct Conv *s, const uint8_t *a, int32_t start, int32_t rows, int signs) {
    const struct Clamp clamp = clamp_to(s->range);
    const uint8_t *panel = s->weights;
    for (int32_t n = 0; n < s->columns; n += 8) {
        const struct Channels *channels = (const struct Channels *)panel;
        const struct Residues *residues = (const struct Residues *)(channels + 1);
        const int32_t columns = min_i32(8, s->columns - n);
        const uint8_t *from = a;
        uint8_t *out = s->output + start * s->columns + n;
        int32_t m = rows;
        NO_UNROLL
        for (; m >= ROWS; m -= ROWS, from += ROWS * s->depth, out += ROWS * s->columns) {
            tile(ROWS, from, channels, s, out, columns, clamp, signs);
        }
        NO_UNROLL
        for (; m > 0; m--, from += s->depth, out += s->columns) tile(1, from, channels, s, out, columns, clamp, signs);
        panel = (const uint8_t *)(residues + 1) + 8 * ((s->depth + 7) & ~7) + residues->count * sizeof(struct Residue);
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

/* Whether eight weights of a column fit without residues; lanes are made of 0, 1, 4, 5 and of 2, 3, 6, 7. */
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

/* What lies in `rest` is left of the eight weights of each column; gives it to residues. */
INLINE int32_t write_residues(int16_t rest[8][8], struct Residue *to, int32_t offset) {
    int32_t count = 0;
    for (int32_t four = 0; four < 2; four++) {
        for (int32_t more = 1; more;) {
            more = 0;
            for (int32_t column = 0; column < 8; column++) {
                for (int32_t pair = 0; pair < 2; pair++) {
                    int32_t positive = LIMIT, negative = LIMIT;
                    for (int32_t i = 0; i < 2; i++) {
                        const int32_t place = 4 * four + 2 * pair + i;
                        int32_t weight = rest[column][place];
                        const int32_t taken = take(&weight, &positive, &negative);
                        rest[column][place] = (int16_t)weight;
                        if (taken) more = 1;
                        if (to) to[count].weights[column][2 * pair + i] = (int8_t)taken;
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

/* Packs the weights of eight columns [8][depth] as packw.c does; `columns` beyond the last are taken for zero. With `to` 0
 * nothing is written but `rest`, [8][8] int16 of scratch.
 * @returns the number of residues; room for one more is needed. */
EXPORT(qu8_packw_x8c4_usdot2) int32_t qu8_packw_x8c4_usdot2(const uint8_t *from, uint8_t *to, int16_t (*rest)[8],
                                                            int32_t *sums, int32_t depth, int32_t columns, int32_t flip,
                                                            int32_t zero) {
    struct Residues *head = (struct Residues *)to;
    int8_t *weights = to ? (int8_t *)(head + 1) : 0;
    struct Residue *residues = to ? (struct Residue *)(weights + 8 * ((depth + 7) & ~7)) : 0;
    int32_t count = 0;
    for (int32_t column = 0; column < 8; column++) sums[column] = 0;
    for (int32_t k = 0; k < depth; k += 8) {
        int all = 1;
        for (int32_t column = 0; column < columns; column++) {
            all &= fits(eight_weights(from + column * depth + k, depth - k, flip, zero));
        }
        if (all && !to) continue;
        for (int32_t column = 0; column < 8; column++) {
            wasm_v128_store(rest[column], column < columns
                                              ? eight_weights(from + column * depth + k, depth - k, flip, zero)
                                              : wasm_i16x8_splat(0));
            for (int32_t pair = 0; pair < 2; pair++) {
                int32_t positive = LIMIT, negative = LIMIT;
                for (int32_t i = 0; i < 4; i++) {
                    const int32_t four = i >> 1, place = 4 * four + 2 * pair + (i & 1);
                    int32_t weight = rest[column][place];
                    sums[column] += weight;
                    const int32_t taken = take(&weight, &positive, &negative);
                    rest[column][place] = (int16_t)weight;
                    if (to) weights[8 * k + 32 * four + 4 * column + 2 * pair + (i & 1)] = (int8_t)taken;
                }
            }
        }
        if (!all) count += write_residues(rest, to ? residues + count : 0, k);
    }
    if (to) head->count = count;
    return count;
}
