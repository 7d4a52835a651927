/* From one kind of number to another, value by value.
 * Tile: 8 values; tensors are read and written up to 7 values beyond their end, for which their slack of 32 bytes is.
 * x8_lut: 64 bytes, the rest one by one. */
#include "common.h"

#define LUT_VECTORS 4

/* Any function of bytes: activations, other scales. The table is gone through by sixteen values: what is none of them is
 * beyond the end of these, for which a swizzle gives zero. */
EXPORT(x8_lut) void x8_lut(const struct Convert *s) {
    const uint8_t *from = s->input;
    uint8_t *to = s->output;
    int32_t left = s->size;
    NO_UNROLL
    for (; left >= 16 * LUT_VECTORS; left -= 16 * LUT_VECTORS, from += 16 * LUT_VECTORS, to += 16 * LUT_VECTORS) {
        const uint8_t *table = s->table;
        v128_t x[LUT_VECTORS], y[LUT_VECTORS];
        UNROLL
        for (int i = 0; i < LUT_VECTORS; i++) {
            x[i] = wasm_v128_load(from + 16 * i);
            y[i] = wasm_i8x16_swizzle(wasm_v128_load(table), x[i]);
        }
        UNROLL
        for (int part = 1; part < 16; part++) {
            v128_t values = wasm_v128_load(table + 16 * part);
            OPAQUE(values);
            UNROLL
            for (int i = 0; i < LUT_VECTORS; i++) {
                x[i] = wasm_i8x16_sub(x[i], wasm_i8x16_splat(16));
                y[i] = wasm_v128_or(y[i], wasm_i8x16_swizzle(values, x[i]));
                OPAQUE(x[i]);
                OPAQUE(y[i]);
            }
        }
        UNROLL
        for (int i = 0; i < LUT_VECTORS; i++) wasm_v128_store(to + 16 * i, y[i]);
    }
    NO_UNROLL
    for (int32_t i = 0; i < left; i++) to[i] = s->table[from[i]];
}

/* Halves go away from zero, as TFLite quantises. */
INLINE v128_t quantize(const struct Convert *s, const float *from) {
    const v128_t x = wasm_f32x4_mul(wasm_v128_load(from), wasm_f32x4_splat(s->scale));
    const v128_t half = wasm_v128_bitselect(x, wasm_f32x4_splat(0.5f), wasm_i32x4_splat(INT32_MIN));
    const v128_t y = wasm_f32x4_add(wasm_f32x4_trunc(wasm_f32x4_add(x, half)), wasm_f32x4_splat(s->zero));
    return wasm_i32x4_trunc_sat_f32x4(clamp_f32(y, wasm_f32x4_splat(s->low), wasm_f32x4_splat(s->high)));
}

EXPORT(f32_qu8_vcvt) void f32_qu8_vcvt(const struct Convert *s) {
    const float *from = (const float *)s->input;
    for (int32_t i = 0; i < s->size; i += 8) {
        const v128_t both = wasm_i16x8_narrow_i32x4(quantize(s, from + i), quantize(s, from + i + 4));
        wasm_v128_store64_lane(s->output + i, wasm_u8x16_narrow_i16x8(both, both), 0);
    }
}

EXPORT(qu8_f32_vcvt) void qu8_f32_vcvt(const struct Convert *s) {
    float *to = (float *)s->output;
    const v128_t scale = wasm_f32x4_splat(s->scale), zero = wasm_f32x4_splat(s->zero);
    for (int32_t i = 0; i < s->size; i += 8) {
        const v128_t q = wasm_u16x8_load8x8(s->input + i);
        const v128_t a = wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(q));
        const v128_t b = wasm_f32x4_convert_i32x4(wasm_u32x4_extend_high_u16x8(q));
        wasm_v128_store(to + i, wasm_f32x4_mul(wasm_f32x4_sub(a, zero), scale));
        wasm_v128_store(to + i + 4, wasm_f32x4_mul(wasm_f32x4_sub(b, zero), scale));
    }
}

/* ReLU and its kind. */
EXPORT(f32_vclamp) void f32_vclamp(const struct Convert *s) {
    const float *from = (const float *)s->input;
    float *to = (float *)s->output;
    for (int32_t i = 0; i < s->size; i += 4) {
        wasm_v128_store(to + i,
                        clamp_f32(wasm_v128_load(from + i), wasm_f32x4_splat(s->low), wasm_f32x4_splat(s->high)));
    }
}

/* x · min(max(x + 3, 0), 6) / 6. */
EXPORT(f32_vhswish) void f32_vhswish(const struct Convert *s) {
    const float *from = (const float *)s->input;
    float *to = (float *)s->output;
    for (int32_t i = 0; i < s->size; i += 4) {
        const v128_t x = wasm_v128_load(from + i);
        const v128_t gate = clamp_f32(wasm_f32x4_add(x, wasm_f32x4_splat(3)), wasm_f32x4_splat(0), wasm_f32x4_splat(6));
        wasm_v128_store(to + i, wasm_f32x4_mul(wasm_f32x4_mul(x, gate), wasm_f32x4_splat(1.0f / 6)));
    }
}

/* The pixels may lie in the last quarter of the output. */
EXPORT(x8_x32_lut3) void x8_x32_lut3(const struct Pixels *s) {
    const uint8_t *from = s->pixels;
    const float *levels = (const float *)s->levels;
    float *to = (float *)s->output;
    NO_UNROLL
    for (int32_t i = 0; i < s->size; i++, from += 3, to += 3) {
        const float red = levels[from[0]], green = levels[256 + from[1]], blue = levels[512 + from[2]];
        to[0] = red, to[1] = green, to[2] = blue;
    }
}

/* The pixels may be where the output is. */
EXPORT(x8_lut3) void x8_lut3(const struct Pixels *s) {
    const uint8_t *from = s->pixels, *levels = s->levels;
    uint8_t *to = s->output;
    NO_UNROLL
    for (int32_t i = 0; i < s->size; i++, from += 3, to += 3) {
        const uint8_t red = levels[from[0]], green = levels[256 + from[1]], blue = levels[512 + from[2]];
        to[0] = red, to[1] = green, to[2] = blue;
    }
}
