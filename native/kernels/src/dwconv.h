/* What the depthwise convolutions share. Channels are processed in planes, each with as many channels as a vector has
 * lanes, four planes at a time, and output rows block by block. The input that such a block needs is first copied to
 * scratch, as [plane][row][column][lanes], where it stays in the cache. The copy includes the padding, and repeats each
 * channel for each of its filters. So the kernels handle neither edges nor remainders, and their columns lie 16 bytes
 * apart for any number of channels. All tensors have 32 readable bytes behind them. */
#ifndef KERNELS_DWCONV_H
#define KERNELS_DWCONV_H

#include "common.h"
#include "requantize.h"

INLINE int32_t block_rows(const struct Depthwise *s, int32_t rows) {
    return (rows - 1) * s->stride_y + (s->kernel_height - 1) * s->dilation_y + 1;
}

INLINE int32_t plane_bytes(const struct Depthwise *s, int32_t rows) {
    return rows * s->padded_width * COLUMN_BYTES + PLANE_GAP;
}

/* The type of the values of a plane. */
enum Source { F32, I16_AS_F32, U8_AS_I16 };

INLINE int32_t lanes_of(enum Source source) { return source == U8_AS_I16 ? 8 : 4; }
INLINE int32_t element_of(enum Source source) { return source == F32 ? 4 : source == U8_AS_I16 ? 1 : 2; }

/* Loads a vector of channels; bytes less their zero point. */
INLINE v128_t load_channels(enum Source source, const uint8_t *from, v128_t zero) {
    if (source == F32) return wasm_v128_load(from);
    if (source == U8_AS_I16) return wasm_i16x8_sub(wasm_u16x8_load8x8(from), zero);
    return wasm_f32x4_convert_i32x4(wasm_i32x4_load16x4(from));
}

INLINE void store_channel(enum Source source, uint8_t *plane, int32_t lane, const uint8_t *from, int32_t zero) {
    if (source == F32) ((float *)plane)[lane] = *(const float *)from;
    else if (source == U8_AS_I16) ((int16_t *)plane)[lane] = *from - zero;
    else ((float *)plane)[lane] = *(const int16_t *)from;
}

/* Fills `columns` columns of all planes of the group with padding. */
INLINE void pad_columns(uint8_t *to, int32_t plane, int32_t columns) {
    for (int p = 0; p < PLANES; p++, to += plane) {
        NO_UNROLL
        for (int32_t i = 0; i < columns; i++) wasm_v128_store(to + i * COLUMN_BYTES, wasm_i32x4_splat(0));
    }
}

/* Copies `rows` input rows, starting at `first`, to the planes of the output channels that start at `channel`. */
INLINE void copy_rows(enum Source source, const struct Depthwise *s, int32_t channel, int32_t first, int32_t rows) {
    const int32_t lanes = lanes_of(source), element = element_of(source), plane = plane_bytes(s, rows);
    const int32_t pixel = s->in_channels * element, channels = min_i32(PLANES * lanes, s->channels - channel);
    const int32_t left = min_i32(s->left, s->padded_width), right = min_i32(left + s->in_width, s->padded_width);
    const v128_t zero = wasm_i16x8_splat(s->input_zero);
    uint8_t *to = s->planes;
    for (int32_t y = first; y < first + rows; y++) {
        if ((uint32_t)y >= (uint32_t)s->in_height) {
            pad_columns(to, plane, s->padded_width);
            to += s->padded_width * COLUMN_BYTES;
            continue;
        }
        pad_columns(to, plane, left);
        to += left * COLUMN_BYTES;
        const uint8_t *from = s->input + y * s->in_width * pixel + channel * element;
        if (s->multiplier == 1 && channels > (PLANES - 1) * lanes) {
            uint8_t *to0 = to, *to1 = to + plane, *to2 = to1 + plane, *to3 = to2 + plane;
            NO_UNROLL
            for (int32_t x = left; x < right; x++, from += pixel) {
                wasm_v128_store(to0, load_channels(source, from, zero)), to0 += COLUMN_BYTES;
                wasm_v128_store(to1, load_channels(source, from + lanes * element, zero)), to1 += COLUMN_BYTES;
                wasm_v128_store(to2, load_channels(source, from + 2 * lanes * element, zero)), to2 += COLUMN_BYTES;
                wasm_v128_store(to3, load_channels(source, from + 3 * lanes * element, zero)), to3 += COLUMN_BYTES;
                OPAQUE(to0);
                OPAQUE(to1);
                OPAQUE(to2);
                OPAQUE(to3);
            }
        } else if (s->multiplier == 1) {
            for (int32_t x = 0; x < right - left; x++, from += pixel) {
                for (int32_t c = 0; c < channels; c += lanes) {
                    const v128_t vector = load_channels(source, from + c * element, zero);
                    wasm_v128_store(to + c / lanes * plane + x * COLUMN_BYTES, vector);
                }
            }
        } else {
            from -= channel * element;
            for (int32_t x = 0; x < right - left; x++, from += pixel) {
                for (int32_t c = 0; c < channels; c++) {
                    const uint8_t *one = from + (channel + c) / s->multiplier * element;
                    store_channel(source, to + c / lanes * plane + x * COLUMN_BYTES, c % lanes, one, s->input_zero);
                }
            }
        }
        to += (right - left) * COLUMN_BYTES;
        pad_columns(to, plane, s->padded_width - right);
        to += (s->padded_width - right) * COLUMN_BYTES;
    }
}

#endif
