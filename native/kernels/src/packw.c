/* Packs the weights of eight output channels, [8][K] as in the file, into a panel of a convolution, once, when a plan
 * is made. The values for channels beyond the last do not matter. The panels are described in f32_gemm_4x8_fma.c,
 * qd16_f32_gemm_4x8c2_dot16x2.c, qu8_gemm_4x8c2_dot16x2.c and qu8_gemm_4x12c4_usdot.c; worker/inference/plan/pack/
 * writes their heads.
 * Tile: four or two weights of all eight channels; the rest along K one by one.
 * Bounds: reads up to 15 bytes behind the weights; their places in the panel are filled with zero. */
#include "common.h"

/* IEEE 754 binary16 → binary32. */
EXPORT(f16_f32_vcvt) void f16_f32_vcvt(const uint16_t *from, float *to, int32_t count) {
    /* The exponent's bias differs by 112; multiplying sets subnormals right as well. */
    const v128_t rebias = wasm_f32x4_splat(0x1p112f), infinite = wasm_i32x4_splat(0x7f800000);
    for (int32_t i = 0; i < count; i += 4) {
        const v128_t half = wasm_u32x4_load16x4(from + i);
        const v128_t bits = wasm_i32x4_shl(wasm_v128_and(half, wasm_i32x4_splat(0x7fff)), 13);
        const v128_t sign = wasm_i32x4_shl(wasm_v128_and(half, wasm_i32x4_splat(0x8000)), 16);
        const v128_t special = wasm_i32x4_ge(wasm_v128_and(half, wasm_i32x4_splat(0x7fff)), wasm_i32x4_splat(0x7c00));
        v128_t value = wasm_f32x4_mul(bits, rebias);
        value = wasm_v128_or(value, wasm_v128_and(special, infinite));
        wasm_v128_store(to + i, wasm_v128_or(value, sign));
    }
}

/* → weights[K][8] */
EXPORT(f32_packw_x8) void f32_packw_x8(const float *from, float *to, int32_t reduction) {
    for (int half = 0; half < 2; half++) {
        const float *a = from + 4 * half * reduction, *b = a + reduction, *c = b + reduction, *d = c + reduction;
        float *out = to + 4 * half;
        int32_t k = 0;
        for (; k + 4 <= reduction; k += 4, out += 4 * PANEL_CHANNELS) {
            const v128_t x = wasm_v128_load(a + k), y = wasm_v128_load(b + k);
            const v128_t z = wasm_v128_load(c + k), w = wasm_v128_load(d + k);
            const v128_t xy0 = wasm_i32x4_shuffle(x, y, 0, 4, 1, 5), xy2 = wasm_i32x4_shuffle(x, y, 2, 6, 3, 7);
            const v128_t zw0 = wasm_i32x4_shuffle(z, w, 0, 4, 1, 5), zw2 = wasm_i32x4_shuffle(z, w, 2, 6, 3, 7);
            wasm_v128_store(out, wasm_i64x2_shuffle(xy0, zw0, 0, 2));
            wasm_v128_store(out + PANEL_CHANNELS, wasm_i64x2_shuffle(xy0, zw0, 1, 3));
            wasm_v128_store(out + 2 * PANEL_CHANNELS, wasm_i64x2_shuffle(xy2, zw2, 0, 2));
            wasm_v128_store(out + 3 * PANEL_CHANNELS, wasm_i64x2_shuffle(xy2, zw2, 1, 3));
        }
        NO_UNROLL
        for (; k < reduction; k++, out += PANEL_CHANNELS) out[0] = a[k], out[1] = b[k], out[2] = c[k], out[3] = d[k];
    }
}

INLINE double sum_pair(v128_t sums) { return wasm_f64x2_extract_lane(sums, 0) + wasm_f64x2_extract_lane(sums, 1); }

INLINE v128_t add_doubles(v128_t sums, v128_t floats) {
    const v128_t high = wasm_i64x2_shuffle(floats, floats, 1, 1);
    sums = wasm_f64x2_add(sums, wasm_f64x2_promote_low_f32x4(floats));
    return wasm_f64x2_add(sums, wasm_f64x2_promote_low_f32x4(high));
}

/* The step of a channel's weights with which none is beyond ±limit and no sum of products comes to 2^31, if activations
 * are within ±largest, or within 0..largest (`one_sign`), where only weights of one sign add up. */
static double step_of(const float *from, int32_t reduction, int32_t limit, int32_t largest, int32_t one_sign) {
    const v128_t none = wasm_f32x4_splat(0);
    v128_t most = none, positive = none, negative = none;
    int32_t k = 0;
    for (; k < reduction; k += 4) {
        v128_t x = wasm_v128_load(from + k);
        if (k + 4 > reduction) {
            /* Of what is read behind the channel's own, nothing counts. */
            const v128_t left = wasm_i32x4_splat(reduction - k);
            x = wasm_v128_and(x, wasm_i32x4_lt(wasm_i32x4_const(0, 1, 2, 3), left));
        }
        most = wasm_f32x4_pmax(most, wasm_f32x4_abs(x));
        positive = add_doubles(positive, wasm_f32x4_pmax(none, x));
        negative = add_doubles(negative, wasm_f32x4_pmin(none, x));
    }
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
    most = wasm_f32x4_pmax(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2));
    const double up = sum_pair(positive), down = -sum_pair(negative);
    const double sum = !one_sign ? up + down : up > down ? up : down;
    /* Rounding may add half a step to each. */
    const double room = (double)(INT32_MAX / largest) - reduction * 0.5 - 1;
    const double by_sum = sum / room, by_largest = (double)wasm_f32x4_extract_lane(most, 0) / limit;
    return by_sum > by_largest ? by_sum : by_largest;
}

/* → weights[K / 2][8][2] int16; and each channel's step times `factor` to `steps`. */
EXPORT(f32_qs16_packw_x8c2) void f32_qs16_packw_x8c2(const float *from, float *steps, int16_t *to, int32_t reduction,
                                                     int32_t limit, int32_t largest, int32_t one_sign, float factor) {
    for (int32_t channel = 0; channel < PANEL_CHANNELS; channel++, from += reduction) {
        const double step = step_of(from, reduction, limit, largest, one_sign);
        steps[channel] = (float)(step * factor);
        const v128_t inverse = wasm_f32x4_splat(step > 1e-35 ? (float)(1 / step) : 0);
        int16_t *out = to + 2 * channel;
        for (int32_t k = 0; k < reduction; k += 4, out += 4 * PANEL_CHANNELS) {
            const v128_t x = wasm_i32x4_trunc_sat_f32x4(
                wasm_f32x4_nearest(wasm_f32x4_mul(wasm_v128_load(from + k), inverse)));
            v128_t pairs = wasm_i16x8_narrow_i32x4(x, x);
            const int32_t left = reduction - k;
            if (left < 4) pairs = wasm_v128_and(pairs, wasm_i64x2_splat((1ll << (16 * left)) - 1));
            wasm_v128_store32_lane(out, pairs, 0);
            if (left > 2) wasm_v128_store32_lane(out + 2 * PANEL_CHANNELS, pairs, 1);
        }
    }
}

/* → weights[K / 2][8][2] int16, bytes less `zero`; `flip` is 128 for int8, which makes it uint8 with 128 added. */
EXPORT(qu8_qs16_packw_x8c2) void qu8_qs16_packw_x8c2(const uint8_t *from, int16_t *to, int32_t reduction, int32_t flip,
                                                     int32_t zero) {
    const v128_t flips = wasm_i8x16_splat(flip), zeros = wasm_i16x8_splat(zero);
    for (int32_t channel = 0; channel < PANEL_CHANNELS; channel++, from += reduction) {
        int16_t *out = to + 2 * channel;
        int32_t k = 0;
        for (; k + 8 <= reduction; k += 8, out += 8 * PANEL_CHANNELS) {
            const v128_t bytes = wasm_v128_xor(wasm_v128_load64_zero(from + k), flips);
            const v128_t pairs = wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(bytes), zeros);
            wasm_v128_store32_lane(out, pairs, 0);
            wasm_v128_store32_lane(out + 2 * PANEL_CHANNELS, pairs, 1);
            wasm_v128_store32_lane(out + 4 * PANEL_CHANNELS, pairs, 2);
            wasm_v128_store32_lane(out + 6 * PANEL_CHANNELS, pairs, 3);
        }
        NO_UNROLL
        for (; k < reduction; k++) to[(k >> 1) * 2 * PANEL_CHANNELS + 2 * channel + (k & 1)] = (from[k] ^ flip) - zero;
    }
}

/* → weights[K / 4][8][4] int8, and the sum of each channel's to `sums`; `flip` is 128 for uint8. */
EXPORT(qu8_packw_x8c4_usdot) void qu8_packw_x8c4_usdot(const uint8_t *from, int32_t *sums, int8_t *to,
                                                       int32_t reduction, int32_t flip) {
    for (int32_t channel = 0; channel < PANEL_CHANNELS; channel++, from += reduction) {
        int8_t *out = to + 4 * channel;
        int32_t sum = 0;
        NO_UNROLL
        for (int32_t k = 0; k < reduction; k++) {
            const int8_t weight = (int8_t)(from[k] ^ flip);
            out[(k >> 2) * 4 * PANEL_CHANNELS + (k & 3)] = weight;
            sum += weight;
        }
        sums[channel] = sum;
    }
}
