/* Copies values from one grid of places to another: slices, transpositions, mirrored edges.
 * Tile: 16 bytes where neighbours stay neighbours, otherwise one value. No packing.
 * Bounds: four nested levels, steps of any sign. Writes nothing beyond its values, since what lies there may be final. */
#include "common.h"

#define COPY(name, type) \
    EXPORT(name) void name(const struct Copy *s) { \
        const int32_t count = s->count[3], in_step = s->in_step[3], out_step = s->out_step[3]; \
        for (int32_t a = 0; a < s->count[0]; a++) { \
            for (int32_t b = 0; b < s->count[1]; b++) { \
                for (int32_t c = 0; c < s->count[2]; c++) { \
                    const type *from = (const type *)s->input + s->from + a * s->in_step[0] + b * s->in_step[1] + \
                                       c * s->in_step[2]; \
                    type *to = (type *)s->output + s->to + a * s->out_step[0] + b * s->out_step[1] + \
                               c * s->out_step[2]; \
                    int32_t i = 0; \
                    if (in_step == 1 && out_step == 1) { \
                        const int32_t whole = count - count % (int32_t)(16 / sizeof(type)); \
                        NO_UNROLL \
                        for (; i < whole; i += 16 / sizeof(type), from += 16 / sizeof(type), to += 16 / sizeof(type)) \
                            wasm_v128_store(to, wasm_v128_load(from)); \
                    } \
                    NO_UNROLL \
                    for (; i < count; i++, from += in_step, to += out_step) *to = *from; \
                } \
            } \
        } \
    }

COPY(x32_copy, float)
COPY(x8_copy, uint8_t)
