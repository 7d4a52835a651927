/* Computes the same bits as qd16_f32_gemm_4x8c2_dot16x2.c with 49 products of blocks instead of 64: Strassen's
 * multiplication, applied twice, for large products. It is exact in integers: sums and differences are correct modulo
 * 2^32, whatever overflows in between, if the result fits. The operands, sums of up to four blocks, fit int16 if
 * weights and activations are within ±8191; the caller, who quantises, must ensure that.
 * 
 * Each matrix is split into 4 × 4 blocks, halves of halves. Rows are processed in units of 16, of which each row block
 * has 4; output channels in groups of 4 panels, one for each block of columns; K is split into quarters. The operands
 * are
 *   - on the left, for each of the 49 products, [rows / 4][K / 4] int16;
 *   - on the right, for each of them, a panel [K / 8][8][2] int16.
 * The right operands are computed in each run, which costs little beside the products, so that weights take no more
 * memory than in the other kernel.
 * 
 * Tile and packing: those of qd16_f32_gemm_4x8c2_dot16x2.c.
 * Bounds: K and output channels are divisible by 32; nothing is gathered. Rows beyond the last unit are computed as in
 * qd16_f32_gemm_4x8c2_dot16x2.c.
 * `operands`, for a block of rows: left and right operands, each followed by a gap of GAP bytes, and a tile of sums for
 * each product of each unit. */
#include "qd16_f32_gemm.h"

/* Blocks in each direction, and what layouts.h has of them. */
#define PARTS 4
#define PRODUCTS STRASSEN_PRODUCTS
#define UNIT STRASSEN_UNIT
#define SUMS STRASSEN_SUMS
#define GAP STRASSEN_GAP
_Static_assert(PRODUCTS == 7 * 7 && UNIT == PARTS * TILE_ROWS && SUMS == TILE_ROWS * PANEL_CHANNELS * 4, "see above");

/* What is multiplied, of 2 × 2 blocks a and b: row by row. */
INLINE void left_operands(const v128_t a[4], v128_t to[7]) {
    to[0] = wasm_i16x8_add(a[0], a[3]);
    to[1] = wasm_i16x8_add(a[2], a[3]);
    to[2] = a[0];
    to[3] = a[3];
    to[4] = wasm_i16x8_add(a[0], a[1]);
    to[5] = wasm_i16x8_sub(a[2], a[0]);
    to[6] = wasm_i16x8_sub(a[1], a[3]);
}

INLINE void right_operands(const v128_t b[4], v128_t to[7]) {
    to[0] = wasm_i16x8_add(b[0], b[3]);
    to[1] = b[0];
    to[2] = wasm_i16x8_sub(b[1], b[3]);
    to[3] = wasm_i16x8_sub(b[2], b[0]);
    to[4] = b[3];
    to[5] = wasm_i16x8_add(b[0], b[1]);
    to[6] = wasm_i16x8_add(b[2], b[3]);
}

/* The blocks of the result, of the products. */
INLINE void result(const v128_t m[7], v128_t to[4]) {
    to[0] = wasm_i32x4_add(wasm_i32x4_add(m[0], m[3]), wasm_i32x4_sub(m[6], m[4]));
    to[1] = wasm_i32x4_add(m[2], m[4]);
    to[2] = wasm_i32x4_add(m[1], m[3]);
    to[3] = wasm_i32x4_add(wasm_i32x4_sub(m[0], m[1]), wasm_i32x4_add(m[2], m[5]));
}

/* Makes the operands of `vectors` vectors of each of 4 × 4 blocks, which lie `down` and `right` bytes from the next in
 * their column and row; operands lie `step` bytes apart. */
INLINE void operands(void (*of)(const v128_t[4], v128_t[7]), const uint8_t *from, int32_t down, int32_t right,
                     int32_t vectors, uint8_t *to, int32_t step) {
    NO_UNROLL
    for (int32_t i = 0; i < vectors; i++, from += 16, to += 16) {
        v128_t outer[4][7]; /* of the 2 × 2 blocks that have the same place in each quadrant */
        UNROLL
        for (int place = 0; place < 4; place++) {
            v128_t block[4];
            UNROLL
            for (int quadrant = 0; quadrant < 4; quadrant++) {
                const int y = 2 * (quadrant >> 1) + (place >> 1), x = 2 * (quadrant & 1) + (place & 1);
                block[quadrant] = wasm_v128_load(from + y * down + x * right);
            }
            of(block, outer[place]);
        }
        uint8_t *out = to;
        UNROLL
        for (int p = 0; p < 7; p++) {
            const v128_t inner[4] = {outer[0][p], outer[1][p], outer[2][p], outer[3][p]};
            v128_t operand[7];
            of(inner, operand);
            UNROLL
            for (int q = 0; q < 7; q++, out += step) wasm_v128_store(out, operand[q]);
        }
    }
}

/* The sums of four rows of a left operand and a right one. */
INLINE void product(const int apart, const uint8_t *left, const uint8_t *right, int32_t pairs, uint8_t *to) {
    v128_t sum[TILE_ROWS][2];
    UNROLL
    for (int r = 0; r < TILE_ROWS; r++) sum[r][0] = sum[r][1] = wasm_i32x4_splat(0);
    tile_i16(apart, TILE_ROWS, sum, (const int16_t *)left, (const int16_t *)right, pairs);
    UNROLL
    for (int r = 0; r < TILE_ROWS; r++) {
        wasm_v128_store(to + 32 * r, sum[r][0]);
        wasm_v128_store(to + 32 * r + 16, sum[r][1]);
    }
}

/* The same for all units. */
INLINE void products_of(const int apart, const uint8_t *lefts, const uint8_t *right, int32_t pairs, uint8_t *to,
                        int32_t units) {
    NO_UNROLL
    for (; units > 0; units--, lefts += TILE_ROWS * 4 * pairs, to += PRODUCTS * SUMS) {
        product(apart, lefts, right, pairs, to);
    }
}

/* Functions of their own, since an engine that finds both in one runs out of registers. */
static __attribute__((noinline)) void products(const uint8_t *lefts, const uint8_t *right, int32_t pairs, uint8_t *to,
                                               int32_t units) {
    products_of(0, lefts, right, pairs, to, units);
}

static __attribute__((noinline)) void products_apart(const uint8_t *lefts, const uint8_t *right, int32_t pairs,
                                                     uint8_t *to, int32_t units) {
    products_of(1, lefts, right, pairs, to, units);
}

/* Puts the 4 × 4 blocks of a unit's result in the place of its products. */
INLINE void combine(uint8_t *products) {
    NO_UNROLL
    for (int32_t v = 0; v < SUMS; v += 16) {
        uint8_t *at = products + v;
        v128_t outer[4][7];
        UNROLL
        for (int p = 0; p < 7; p++) {
            v128_t m[7], inner[4];
            UNROLL
            for (int q = 0; q < 7; q++) m[q] = wasm_v128_load(at + (7 * p + q) * SUMS);
            result(m, inner);
            UNROLL
            for (int place = 0; place < 4; place++) outer[place][p] = inner[place];
        }
        UNROLL
        for (int place = 0; place < 4; place++) {
            v128_t quadrants[4];
            result(outer[place], quadrants);
            UNROLL
            for (int quadrant = 0; quadrant < 4; quadrant++) {
                const int y = 2 * (quadrant >> 1) + (place >> 1), x = 2 * (quadrant & 1) + (place & 1);
                wasm_v128_store(at + (PARTS * y + x) * SUMS, quadrants[quadrant]);
            }
        }
    }
}

/* Stores the blocks of a unit's result. `row`: of the output; `panel`: the group's first. */
INLINE void store_unit(const struct Conv *s, const uint8_t *blocks, const float *scales, int32_t scaled, int32_t row,
                       int32_t channel, int32_t pairs) {
    NO_UNROLL
    for (int32_t y = 0; y < PARTS; y++) {
        NO_UNROLL
        for (int32_t x = 0; x < PARTS; x++, blocks += SUMS) {
            v128_t sum[TILE_ROWS][2];
            UNROLL
            for (int r = 0; r < TILE_ROWS; r++) {
                sum[r][0] = wasm_v128_load(blocks + 32 * r);
                sum[r][1] = wasm_v128_load(blocks + 32 * r + 16);
            }
            finish(TILE_ROWS, sum, scaled ? scales + y * TILE_ROWS : scales, scaled,
                   panel_at(s, channel / 8 + x, pairs), s, output_at(s, row + y * TILE_ROWS, channel + 8 * x), 8);
        }
    }
}

/* `units` units of rows of int16 times all panels; the first is row `start` of the output. */
static void multiply_units(const struct Conv *s, const int16_t *matrix, const float *scales, int32_t scaled,
                           int32_t start, int32_t units) {
    const int32_t pairs = s->reduction / 2, part = pairs / PARTS;
    /* Bytes of a row of a left operand, and of a right operand; and from each operand to the next. */
    const int32_t left = 4 * part, right = 32 * part;
    const int32_t left_step = units * TILE_ROWS * left + GAP, right_step = right + GAP;
    uint8_t *lefts = s->operands, *rights = lefts + PRODUCTS * left_step, *sums = rights + PRODUCTS * right_step;
    for (int32_t row = 0; row < units * TILE_ROWS; row++) {
        const int16_t *from = matrix + (row / TILE_ROWS * UNIT + row % TILE_ROWS) * s->reduction;
        operands(left_operands, (const uint8_t *)from, 2 * TILE_ROWS * s->reduction, left, left / 16,
                 lefts + row * left, left_step);
    }
    for (int32_t channel = 0; channel < s->out_channels; channel += 8 * PARTS) {
        const struct Head *panel = panel_at(s, channel / 8, pairs);
        operands(right_operands, (const uint8_t *)weights_of(panel), right, sizeof(struct Head) + 32 * pairs,
                 right / 16, rights, right_step);
        /* A right operand stays in the first cache while all rows pass by. */
        for (int32_t q = 0; q < PRODUCTS; q++) {
            const uint8_t *own = lefts + q * left_step, *with = rights + q * right_step;
            if (s->apart) products_apart(own, with, part, sums + q * SUMS, units);
            else products(own, with, part, sums + q * SUMS, units);
        }
        for (int32_t u = 0; u < units; u++) {
            uint8_t *unit = sums + u * PRODUCTS * SUMS;
            combine(unit);
            store_unit(s, unit, scaled ? scales + u * UNIT : scales, scaled, start + u * UNIT, channel, pairs);
        }
    }
}

EXPORT(qd16_f32_gemm_4x8c2_strassen) void qd16_f32_gemm_4x8c2_strassen(const struct Conv *s) {
    const int32_t scaled = !s->int16_input;
    float *scales = (float *)s->wide;
    scales[0] = 1;
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start), units = rows / UNIT, done = units * UNIT;
        const int16_t *matrix = (const int16_t *)s->input + start * s->reduction;
        if (scaled) {
            int16_t *wide = (int16_t *)(scales + s->block);
            quantize_rows((const float *)s->input + start * s->reduction, scales, wide, rows, s->reduction,
                          s->reduction / 2);
            matrix = wide;
        }
        multiply_units(s, matrix, scales, scaled, start, units);
        multiply_rows(s, matrix + done * s->reduction, scaled ? scales + done : scales, scaled, start + done,
                      rows - done);
    }
}
