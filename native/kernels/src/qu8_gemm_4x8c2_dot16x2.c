/* Convolution of uint8 in 16-bit integers, for CPUs without an exact byte dot product. The result is TFLite's, exactly.
 * Tile and packing: tile_4x8c2_dot16x2.h; a panel begins with struct Channels, and its weights are less their zero
 * point.
 * Bounds: K · 255 · 255 < 2^31, so K ≤ 33025. `wide` is [block, K, rounded up to even] int16. */
#include "gemm.h"
#include "tile_4x8c2_dot16x2.h"

/* Rows of bytes → rows of int16 less the zero point. What fills up the last pair meets weights of zero. Writes up to 14
 * bytes too many, which the next row overwrites. */
static void widen(const uint8_t *from, int16_t *to, int32_t rows, int32_t reduction, int32_t pairs, int32_t zero) {
    v128_t zeros = wasm_i16x8_splat(zero);
    for (int32_t r = 0; r < rows; r++, from += reduction, to += 2 * pairs) {
        for (int32_t k = 0; k < reduction; k += 8) {
            wasm_v128_store(to + k, wasm_i16x8_sub(wasm_u16x8_load8x8(from + k), zeros));
        }
    }
}

INLINE void tile(const int apart, const int rows, const int16_t *a, const struct Channels *panel, const struct Conv *s,
                 int32_t pairs, uint8_t *out, int32_t out_channels, struct Clamp clamp, int signs) {
    v128_t sum[TILE_ROWS][2];
    UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r][0] = wasm_v128_load(panel->bias);
        sum[r][1] = wasm_v128_load(panel->bias + 4);
    }
    tile_i16(apart, rows, sum, a, (const int16_t *)(panel + 1), pairs);
    store_requantized(rows, sum, panel, s, out, out_channels, clamp, signs);
}

INLINE void block(const int apart, const struct Conv *s, int32_t start, int32_t rows, int32_t pairs, int signs) {
    const struct Clamp clamp = clamp_to(s->range);
    const uint8_t *panel = s->weights;
    for (int32_t n = 0; n < s->out_channels; n += 8, panel += sizeof(struct Channels) + 32 * pairs) {
        const struct Channels *channels = (const struct Channels *)panel;
        const int32_t out_channels = min_i32(8, s->out_channels - n);
        const int16_t *a = (const int16_t *)s->wide;
        uint8_t *out = s->output + start * s->out_channels + n;
        int32_t m = rows;
        NO_UNROLL
        for (; m >= TILE_ROWS; m -= TILE_ROWS, a += 2 * TILE_ROWS * pairs, out += TILE_ROWS * s->out_channels) {
            tile(apart, TILE_ROWS, a, channels, s, pairs, out, out_channels, clamp, signs);
        }
        NO_UNROLL
        for (; m > 0; m--, a += 2 * pairs, out += s->out_channels)
            tile(apart, 1, a, channels, s, pairs, out, out_channels, clamp, signs);
    }
}

EXPORT(qu8_gemm_4x8c2_dot16x2) void qu8_gemm_4x8c2_dot16x2(const struct Conv *s) {
    const int32_t pairs = (s->reduction + 1) / 2;
    for (int32_t start = 0; start < s->rows; start += s->block) {
        const int32_t rows = min_i32(s->block, s->rows - start);
        widen(matrix_rows(s, start, rows, 1), (int16_t *)s->wide, rows, s->reduction, pairs, s->input_zero);
        /* N is right for all values, only slower. */
        if (s->apart) block(1, s, start, rows, pairs, 1);
        else if (s->signs) block(0, s, start, rows, pairs, 1);
        else block(0, s, start, rows, pairs, 0);
    }
}
