/* Products of a vector of int8 with rows of int8: how alike a photo is to examples.
 * Tile: 4 rows, 16 values of each at a time. No packing: rows begin `stride` bytes after each other.
 * Bounds: up to 65535 values, whose products of up to 128 * 128 do not overflow 32 bits. Reads nothing behind a row, since
 * the next bytes are another part of it. */
#include "common.h"

#define ROWS 4

INLINE v128_t added(v128_t sums, v128_t low, v128_t high, v128_t row) {
    sums = wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(low, wasm_i16x8_extend_low_i8x16(row)));
    return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(high, wasm_i16x8_extend_high_i8x16(row)));
}

INLINE int32_t sum_of(v128_t sums) {
    return wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1) + wasm_i32x4_extract_lane(sums, 2) +
           wasm_i32x4_extract_lane(sums, 3);
}

EXPORT(s8_gemv_4c16_dot16x2) void s8_gemv_4c16_dot16x2(const int8_t *values, const int8_t *rows, int32_t *products,
                                                       int32_t length, int32_t stride, int32_t count) {
    const int32_t whole = length - length % 16;
    for (int32_t first = 0; first < count; first += ROWS) {
        const int8_t *row[ROWS];
        v128_t sums[ROWS];
        UNROLL
        for (int32_t r = 0; r < ROWS; r++) {
            row[r] = rows + min_i32(first + r, count - 1) * stride; /* behind the last row, that one again */
            OPAQUE(row[r]);
            sums[r] = wasm_i32x4_const_splat(0);
        }
        NO_UNROLL
        for (int32_t i = 0; i < whole; i += 16) {
            const v128_t value = wasm_v128_load(values + i);
            const v128_t low = wasm_i16x8_extend_low_i8x16(value), high = wasm_i16x8_extend_high_i8x16(value);
            UNROLL
            for (int32_t r = 0; r < ROWS; r++) sums[r] = added(sums[r], low, high, wasm_v128_load(row[r] + i));
        }
        UNROLL
        for (int32_t r = 0; r < ROWS; r++) {
            int32_t sum = sum_of(sums[r]);
            NO_UNROLL
            for (int32_t i = whole; i < length; i++) sum += values[i] * row[r][i];
            if (first + r < count) products[first + r] = sum;
        }
    }
}
