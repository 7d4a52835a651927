/* Average and maximum over windows, and the sum for f32. Reductions over height and width have one window.
 * Tile: one output pixel × 4 f32 or 8 uint8. No packing.
 * Bounds: windows of up to 65535 pixels that overlap the input; padding does not count. */
#include "common.h"
#include "requantize.h"

struct Window {
    int32_t y, y_end, x, x_end;
};

INLINE struct Window window_at(const struct Pool *s, int32_t y, int32_t x) {
    const int32_t top = y * s->stride_y - s->top, left = x * s->stride_x - s->left;
    return (struct Window){max_i32(0, top), min_i32(s->in_height, top + s->height), max_i32(0, left),
                           min_i32(s->in_width, left + s->width)};
}

EXPORT(f32_pool) void f32_pool(const struct Pool *s) {
    float *to = (float *)s->output;
    const v128_t low = wasm_f32x4_splat(s->low), high = wasm_f32x4_splat(s->high);
    const int32_t maximum = s->operation == POOL_MAXIMUM;
    for (int32_t y = 0; y < s->out_height; y++) {
        for (int32_t x = 0; x < s->out_width; x++, to += s->channels) {
            const struct Window w = window_at(s, y, x);
            const float share = s->operation == POOL_SUM ? 1 : 1.0f / (float)((w.y_end - w.y) * (w.x_end - w.x));
            for (int32_t c = 0; c < s->channels; c += 4) {
                v128_t result = maximum ? wasm_f32x4_splat(-__builtin_inff()) : wasm_f32x4_splat(0);
                for (int32_t iy = w.y; iy < w.y_end; iy++) {
                    const float *from = (const float *)s->input + (iy * s->in_width + w.x) * s->channels + c;
                    for (int32_t ix = w.x; ix < w.x_end; ix++, from += s->channels) {
                        const v128_t value = wasm_v128_load(from);
                        result = maximum ? wasm_f32x4_pmax(result, value) : wasm_f32x4_add(result, value);
                    }
                }
                if (!maximum) result = wasm_f32x4_mul(result, wasm_f32x4_splat(share));
                store_f32(to + c, clamp_f32(result, low, high), s->channels - c);
            }
        }
    }
}

INLINE int32_t saturate(int64_t x) { return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x; }

/* TFLite's MultiplyByQuantizedMultiplier, but that it saturates where TFLite's would overflow; `shift` is to the right,
 * to the left if negative. Halves of negative results go up, or away from zero. */
INLINE int32_t multiply(int32_t x, int32_t multiplier, int32_t shift, int32_t up) {
    if (shift < 0) x = saturate((int64_t)x << min_i32(-shift, 31)), shift = 0;
    const int32_t r = (int32_t)(((int64_t)x * multiplier + (1 << 30)) >> 31);
    if (shift == 0) return r;
    return (r + (1 << (shift - 1)) - (r < 0 && !up)) >> shift;
}

/* A sum of `count` bytes → its average byte. */
INLINE int32_t average(const struct Pool *s, int32_t sum, int32_t count, int32_t up) {
    sum -= s->subtract * count;
    if (s->multiplier) sum = multiply(sum, s->multiplier, s->shift, up);
    if (s->divide) sum = (int32_t)((sum > 0 ? (int64_t)sum + count / 2 : (int64_t)sum - count / 2) / count);
    return saturate((int64_t)sum + s->add);
}

INLINE v128_t averages(const struct Pool *s, v128_t sums, int32_t count, int32_t up) {
    return wasm_i32x4_make(average(s, wasm_i32x4_extract_lane(sums, 0), count, up),
                           average(s, wasm_i32x4_extract_lane(sums, 1), count, up),
                           average(s, wasm_i32x4_extract_lane(sums, 2), count, up),
                           average(s, wasm_i32x4_extract_lane(sums, 3), count, up));
}

EXPORT(qu8_pool) void qu8_pool(const struct Pool *s) {
    uint8_t *to = s->output;
    const int32_t maximum = s->operation == POOL_MAXIMUM;
    for (int32_t y = 0; y < s->out_height; y++) {
        for (int32_t x = 0; x < s->out_width; x++, to += s->channels) {
            const struct Window w = window_at(s, y, x);
            const int32_t count = (w.y_end - w.y) * (w.x_end - w.x);
            for (int32_t c = 0; c < s->channels; c += 8) {
                v128_t most = wasm_i16x8_splat(0), low = most, high = most;
                for (int32_t iy = w.y; iy < w.y_end; iy++) {
                    const uint8_t *from = s->input + (iy * s->in_width + w.x) * s->channels + c;
                    for (int32_t ix = w.x; ix < w.x_end; ix++, from += s->channels) {
                        const v128_t value = wasm_u16x8_load8x8(from);
                        most = wasm_i16x8_max(most, value);
                        low = wasm_i32x4_add(low, wasm_u32x4_extend_low_u16x8(value));
                        high = wasm_i32x4_add(high, wasm_u32x4_extend_high_u16x8(value));
                    }
                }
                if (!maximum) {
                    const int32_t up = c < s->up;
                    /* Narrowed with saturation: scales may differ so much that an average is far beyond 16 bits. */
                    most = wasm_i16x8_narrow_i32x4(averages(s, low, count, up), averages(s, high, count, up));
                }
                most = wasm_i16x8_max(most, wasm_i16x8_splat(s->range.low));
                most = wasm_i16x8_min(most, wasm_i16x8_splat(s->range.high));
                store_u8(to + c, wasm_u8x16_narrow_i16x8(most, most), s->channels - c);
            }
        }
    }
}
