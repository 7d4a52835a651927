/* Moves runs of bytes from one tensor to another: padding and concatenation.
 * Tile: 16 bytes; the rest of a run byte by byte. No packing.
 * Bounds: three nested levels of runs. Writes nothing behind a run, since what lies there may be final. */
#include "common.h"

INLINE void move_run(const uint8_t *from, uint8_t *to, int32_t bytes) {
    int32_t i = 0;
    NO_UNROLL
    for (; i + 16 <= bytes; i += 16) wasm_v128_store(to + i, wasm_v128_load(from + i));
    NO_UNROLL
    for (; i < bytes; i++) to[i] = from[i];
}

EXPORT(x8_move) void x8_move(const struct Move *s) {
    const v128_t fill = wasm_i32x4_splat(s->fill);
    NO_UNROLL
    for (int32_t i = 0; i < s->fill_bytes; i += 16) wasm_v128_store(s->output + i, fill);
    for (int32_t a = 0; a < s->count[0]; a++) {
        for (int32_t b = 0; b < s->count[1]; b++) {
            const uint8_t *from = s->input + a * s->in_step[0] + b * s->in_step[1];
            uint8_t *to = s->output + s->start + a * s->out_step[0] + b * s->out_step[1];
            NO_UNROLL
            for (int32_t c = 0; c < s->count[2]; c++, from += s->in_step[2], to += s->out_step[2]) {
                if (s->table) {
                    NO_UNROLL
                    for (int32_t i = 0; i < s->run; i++) to[i] = s->table[from[i]];
                } else {
                    move_run(from, to, s->run);
                }
            }
        }
    }
}
