/* Functions of two bytes as tables of all 65536 results, for rare functions with an arithmetic of their own.
 * The second operand repeats after `period` values, and each of its values is combined with `run` consecutive values of
 * the first; see vbinary.c.
 * Tile: one byte. Bounds: period · run divides size. */
#include "common.h"

EXPORT(x8_lut2) void x8_lut2(const struct Table *s) {
    const uint8_t *a = s->a, *end = s->a + s->size;
    uint8_t *to = s->output;
    while (a < end) {
        for (int32_t j = 0; j < s->period; j++) {
            const uint8_t *row = s->table + 256 * s->b[j];
            NO_UNROLL
            for (int32_t i = 0; i < s->run; i++) *to++ = row[*a++];
        }
    }
}
