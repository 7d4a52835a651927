/* Convolution of bytes by the relaxed byte dot product, for CPUs where that is exact: where one product sums four and takes
 * activations as unsigned (VNNI), or takes them as signed (ARM, AVX-VNNI-INT8), for which `flip` is 128. `usdot_is_exact`
 * says whether this CPU's is. The result is TFLite's, exactly.
 * The signed product is exact unless both weights of a pair, at 2k and 2k + 1 along K, are −128: products of two such pairs
 * overflow the 16 bits in which some CPUs add them. One and the same CPU may do so before V8 has optimised the code, and
 * not afterwards. So weights with such pairs are computed by another kernel.
 * Tile: 4 rows × 12 output channels in 12 accumulators of 32 bits, or × 8 or 4 where fewer channels are left. Four rows
 * lie interleaved, so that one load has four values along K of each. An accumulator has a lane for each of four output
 * channels, each with another row, and rotating the rows three times combines each channel with each row. That takes 4
 * loads, whose bounds V8 checks, for 12 products, where a row at a time would take 8.
 * Panel: struct Channels, then weights [K / 4][8][4] int8, filled up with zero. The bias holds what follows from
 * the input's zero point; what follows from the weights' is −weights_zero · the sum of the row.
 * Scratch: `wide` is struct DotSpare, offsets [block, filled up to four], then rows [block / 4][K / 4][4][4].
 * Bounds: K ≤ 33025 as in qu8_gemm_4x8c2_dot16x2.c; reads up to 15 bytes behind a row. */
#include "gemm.h"

#define ROWS TILE_ROWS
/* Four output channels of a panel. */
#define QUADS 3

/* Four products of 127 · 255: 129540 does not fit the 16 bits in which other CPUs add pairs. `byte` is from −128 to −1 if it
 * is to be taken as signed. */
EXPORT(usdot_is_exact) int32_t usdot_is_exact(int32_t weight, int32_t byte) {
    v128_t sums = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_i8x16_splat(weight), wasm_u8x16_splat(byte),
                                                         wasm_i32x4_splat(0));
    return wasm_i32x4_extract_lane(sums, 0) == 4 * weight * byte;
}

struct Quad {
    const struct Channels *channels;
    int32_t first; /* of the eight channels: 0 or 4 */
};

/* What all tiles of a quad need, out of memory: engines keep it on their stack, where there are no bounds to check. */
struct Constants {
    v128_t bias;
    struct Factors factors;
};

INLINE void add_product(v128_t *sum, v128_t weights, v128_t bytes) {
    *sum = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights, bytes, *sum);
    OPAQUE(*sum);
}

INLINE v128_t rotate(v128_t x) {
    x = wasm_i32x4_shuffle(x, x, 1, 2, 3, 0);
    OPAQUE(x);
    return x;
}

/* Sixteen along K of four rows → four steps of [row][4]. */
INLINE void interleave(v128_t a, v128_t b, v128_t c, v128_t d, uint8_t *to, v128_t *sums) {
    const v128_t ab0 = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), ab2 = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
    const v128_t cd0 = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), cd2 = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
    const v128_t steps[] = {wasm_i64x2_shuffle(ab0, cd0, 0, 2), wasm_i64x2_shuffle(ab0, cd0, 1, 3),
                            wasm_i64x2_shuffle(ab2, cd2, 0, 2), wasm_i64x2_shuffle(ab2, cd2, 1, 3)};
    UNROLL
    for (int i = 0; i < 4; i++) {
        wasm_v128_store(to + 16 * i, steps[i]);
        if (sums) add_product(sums, wasm_i8x16_splat(1), steps[i]);
    }
}

INLINE v128_t load_flipped(const uint8_t *from, v128_t flip) { return wasm_v128_xor(wasm_v128_load(from), flip); }

/* Interleaves all rows of a block. Where fewer than four are left, the last is taken again. Writes up to 48 bytes too many
 * behind four rows, which the next overwrite. */
INLINE void interleave_rows(const uint8_t *from, uint8_t *to, int32_t *offsets, int32_t rows, int32_t reduction,
                            int32_t weights_zero, v128_t flip, const int offset) {
    for (int32_t row = 0; row < rows; row += ROWS, to += 16 * ((reduction + 3) >> 2), from += ROWS * reduction) {
        const uint8_t *a = from, *b = row + 1 < rows ? a + reduction : a, *c = row + 2 < rows ? b + reduction : b;
        const uint8_t *d = row + 3 < rows ? c + reduction : c;
        v128_t sums = wasm_i32x4_splat(0);
        int32_t k = 0;
        for (; k + 16 <= reduction; k += 16) {
            interleave(load_flipped(a + k, flip), load_flipped(b + k, flip), load_flipped(c + k, flip),
                       load_flipped(d + k, flip), to + 4 * k, offset ? &sums : 0);
        }
        if (k < reduction) {
            const v128_t own = wasm_i8x16_lt(wasm_i8x16_const(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                             wasm_i8x16_splat(reduction - k));
            interleave(wasm_v128_and(load_flipped(a + k, flip), own), wasm_v128_and(load_flipped(b + k, flip), own),
                       wasm_v128_and(load_flipped(c + k, flip), own), wasm_v128_and(load_flipped(d + k, flip), own),
                       to + 4 * k, offset ? &sums : 0);
        }
        wasm_v128_store(offsets + row, offset ? wasm_i32x4_mul(sums, wasm_i32x4_splat(-weights_zero)) : sums);
    }
}

/* Four along K. */
INLINE void step(const int quads, v128_t x, const int8_t *w[QUADS], int32_t at, v128_t sum[QUADS][ROWS]) {
    const v128_t w0 = wasm_v128_load(w[0] + at), w1 = quads > 1 ? wasm_v128_load(w[1] + at) : w0;
    UNROLL
    for (int turn = 0; turn < ROWS; turn++) {
        if (turn > 0) x = rotate(x);
        add_product(&sum[0][turn], w0, x);
        if (quads > 1) add_product(&sum[1][turn], w1, x);
    }
    if (quads < 3) return;
    /* In rounds of their own, since there is no register for a third. */
    const v128_t w2 = wasm_v128_load(w[2] + at);
    UNROLL
    for (int turn = ROWS - 1; turn < 2 * ROWS - 1; turn++) {
        if (turn >= ROWS) x = rotate(x);
        add_product(&sum[2][turn % ROWS], w2, x);
    }
}

struct Rounding {
    struct Clamp clamp;
    v128_t order;
};

/* Sixteen scaled sums as they lie in accumulators → bytes [row][channel]. */
INLINE v128_t bytes_of(const v128_t scaled[ROWS], struct Rounding rounding) {
    const v128_t low = join_whole(scaled[0], scaled[1], rounding.clamp);
    const v128_t high = join_whole(scaled[2], scaled[3], rounding.clamp);
    return wasm_i8x16_relaxed_swizzle(join_bytes(low, high, rounding.clamp), rounding.order);
}

_Static_assert(sizeof(struct DotSpare) == QUADS * ROWS * 4 * (4 + 1),
               "a tile: QUADS times four out_channels, ROWS rows");

INLINE struct DotSpare *spare_of(const struct Conv *s) { return (struct DotSpare *)s->wide; }
INLINE int32_t *offsets_of(const struct Conv *s) { return (int32_t *)(spare_of(s) + 1); }
INLINE uint8_t *rows_of(const struct Conv *s, int32_t rows) { return (uint8_t *)(offsets_of(s) + ((rows + 3) & ~3)); }

/* Part of an output: as many rows and output channels as there are, or more. */
struct Target {
    uint8_t *out;
    int32_t stride, rows, out_channels;
};

/* Stores the bytes in `spare` of `quads` quads, as far as the output goes. */
static __attribute__((noinline)) void store_some(const struct DotSpare *spare, int32_t quads, uint8_t *out,
                                                 int32_t stride, int32_t rows, int32_t out_channels) {
    NO_UNROLL
    for (int32_t row = 0; row < min_i32(rows, ROWS); row++) {
        NO_UNROLL
        for (int32_t i = 0; i < min_i32(out_channels, 4 * quads); i++)
            out[row * stride + i] = spare->bytes[i >> 2][row][i & 3];
    }
}

/* Stores the bytes of quads, [row][channel] each. */
INLINE void store_tile(const int quads, struct Target to, const v128_t bytes[QUADS], struct DotSpare *spare) {
    if (to.rows < ROWS || to.out_channels < 4 * quads) {
        UNROLL
        for (int q = 0; q < quads; q++) wasm_v128_store(spare->bytes[q], bytes[q]);
        store_some(spare, quads, to.out, to.stride, to.rows, to.out_channels);
        return;
    }
    uint8_t *row[] = {to.out, to.out + to.stride, to.out + 2 * to.stride, to.out + 3 * to.stride};
    if (quads > 1) {
        const v128_t low = wasm_i32x4_shuffle(bytes[0], bytes[1], 0, 4, 1, 5);
        const v128_t high = wasm_i32x4_shuffle(bytes[0], bytes[1], 2, 6, 3, 7);
        wasm_v128_store64_lane(row[0], low, 0);
        wasm_v128_store64_lane(row[1], low, 1);
        wasm_v128_store64_lane(row[2], high, 0);
        wasm_v128_store64_lane(row[3], high, 1);
    }
    if (quads != 2) {
        const v128_t last = bytes[quads - 1];
        wasm_v128_store32_lane(row[0] + 4 * (quads - 1), last, 0);
        wasm_v128_store32_lane(row[1] + 4 * (quads - 1), last, 1);
        wasm_v128_store32_lane(row[2] + 4 * (quads - 1), last, 2);
        wasm_v128_store32_lane(row[3] + 4 * (quads - 1), last, 3);
    }
}

INLINE struct Quad quad_at(const struct Conv *s, int32_t quad) {
    const int32_t panel = sizeof(struct Channels) + 32 * ((s->reduction + 3) >> 2);
    return (struct Quad){(const struct Channels *)(s->weights + (quad >> 1) * panel), (quad & 1) * 4};
}

/* Turn t has row (t + i) mod 4 in lane i: byte 4r + i comes from turn r − i. */
INLINE v128_t order_of_turns(void) { return wasm_i8x16_const(0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3); }

/* Stores the sums in `spare` of `quads` quads of output channels from `quad` on, as bytes. */
static __attribute__((noinline)) void store_exactly(const struct Conv *s, int32_t quads, int32_t quad, uint8_t *out,
                                                    int32_t rows) {
    struct DotSpare *spare = spare_of(s);
    NO_UNROLL
    for (int32_t q = 0; q < quads; q++) {
        const struct Quad own = quad_at(s, quad + q);
        v128_t scaled[ROWS];
        UNROLL
        for (int turn = 0; turn < ROWS; turn++) {
            scaled[turn] = scale_exactly(wasm_v128_load(spare->sums[q][turn]), own.channels, own.first, &s->range);
        }
        const v128_t bytes = wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(scaled[0], scaled[1]),
                                                     wasm_i16x8_narrow_i32x4(scaled[2], scaled[3]));
        wasm_v128_store(spare->bytes[q], wasm_i8x16_relaxed_swizzle(bytes, order_of_turns()));
    }
    store_some(spare, quads, out, s->out_channels, rows, s->out_channels - 4 * quad);
}

INLINE void tile(const int quads, const struct Conv *s, const uint8_t *x, v128_t offsets, int32_t quad,
                 const struct Quad own[QUADS], const struct Constants constants[QUADS], struct Target to,
                 struct Rounding rounding, const int signs) {
    v128_t sum[QUADS][ROWS];
    const int8_t *w[QUADS];
    UNROLL
    for (int q = 0; q < quads; q++) {
        w[q] = (const int8_t *)(own[q].channels + 1) + 4 * own[q].first;
        OPAQUE(w[q]);
    }
    UNROLL
    for (int turn = 0; turn < ROWS; turn++) {
        if (turn > 0) offsets = rotate(offsets);
        UNROLL
        for (int q = 0; q < quads; q++) {
            sum[q][turn] = wasm_i32x4_add(constants[q].bias, offsets);
        }
    }
    int32_t steps = (s->reduction + 3) >> 2;
    NO_UNROLL
    for (; steps >= 2; steps -= 2) {
        step(quads, wasm_v128_load(x), w, 0, sum);
        step(quads, wasm_v128_load(x + 16), w, 32, sum);
        x += 32;
        OPAQUE(x);
        UNROLL
        for (int q = 0; q < quads; q++) {
            w[q] += 64;
            OPAQUE(w[q]);
        }
    }
    if (steps > 0) step(quads, wasm_v128_load(x), w, 0, sum);

    v128_t margin = full_margin(), bytes[QUADS];
    UNROLL
    for (int q = 0; q < quads; q++) {
        v128_t scaled[ROWS];
        UNROLL
        for (int turn = 0; turn < ROWS; turn++) {
            scaled[turn] = scale_by(sum[q][turn], constants[q].factors, signs, &margin);
        }
        bytes[q] = bytes_of(scaled, rounding);
        OPAQUE(bytes[q]);
    }
    if (is_uncertain(margin)) {
        UNROLL
        for (int q = 0; q < quads; q++) {
            UNROLL
            for (int turn = 0; turn < ROWS; turn++) wasm_v128_store(spare_of(s)->sums[q][turn], sum[q][turn]);
        }
        store_exactly(s, quads, quad, to.out, to.rows);
    } else {
        store_tile(quads, to, bytes, spare_of(s));
    }
}

/* All rows of a block times `quads` quads of output channels from `quad` on. */
INLINE void multiply_quads(const int quads, const struct Conv *s, int32_t quad, int32_t start, int32_t rows,
                           struct Rounding rounding, const int signs) {
    struct Quad own[QUADS];
    struct Constants constants[QUADS];
    UNROLL
    for (int q = 0; q < quads; q++) {
        own[q] = quad_at(s, quad + q);
        constants[q].bias = wasm_v128_load(own[q].channels->bias + own[q].first);
        constants[q].factors = factors_of(own[q].channels, own[q].first, rounding.clamp);
    }
    struct Target to = {s->output + start * s->out_channels + 4 * quad, s->out_channels, rows,
                        s->out_channels - 4 * quad};
    const int32_t *offsets = offsets_of(s);
    const uint8_t *x = rows_of(s, rows);
    NO_UNROLL
    for (; to.rows > 0;
         to.rows -= ROWS, to.out += ROWS * to.stride, offsets += ROWS, x += 16 * ((s->reduction + 3) >> 2)) {
        tile(quads, s, x, wasm_v128_load(offsets), quad, own, constants, to, rounding, signs);
    }
}

INLINE void block(const struct Conv *s, int32_t start, int32_t rows, const int signs) {
    v128_t order = order_of_turns();
    OPAQUE(order);
    const struct Rounding rounding = {clamp_to(s->range), order};
    const int32_t quads = (s->out_channels + 3) >> 2;
    int32_t quad = 0;
    /* Four are two and two, rather than three and a slow one. */
    NO_UNROLL
    for (; quads - quad >= 3 && quads - quad != 4; quad += 3) multiply_quads(3, s, quad, start, rows, rounding, signs);
    NO_UNROLL
    for (; quads - quad >= 2; quad += 2) multiply_quads(2, s, quad, start, rows, rounding, signs);
    if (quad < quads) multiply_quads(1, s, quad, start, rows, rounding, signs);
}

EXPORT(qu8_gemm_4x12c4_usdot) void qu8_gemm_4x12c4_usdot(const struct Conv *s) {
    const v128_t flip = wasm_i8x16_splat(s->flip);
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        const uint8_t *a = matrix_rows(s, start, rows, 1);
        if (s->weights_zero != 0)
            interleave_rows(a, rows_of(s, rows), offsets_of(s), rows, s->reduction, s->weights_zero, flip, 1);
        else interleave_rows(a, rows_of(s, rows), offsets_of(s), rows, s->reduction, 0, flip, 0);
        if (s->signs) block(s, start, rows, 1);
        else block(s, start, rows, 0);
    }
}
