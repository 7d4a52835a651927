/* Calls kernels as a program of this machine, in which sanitizers watch memory and undefined behaviour.
 *
 * Reads calls from standard input until its end: struct Request, `words` struct Word, `regions` struct Region, then the bytes
 * of each region. Each region is a block of its own, so that the sanitizer sees whatever leaves it. Writes for each call
 * what it has returned, and the bytes of the regions that it may have written. A sanitizer that finds something ends the
 * process; its report goes to standard error. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/layouts.h"

struct Request {
    uint32_t index; /* of the kernel or function; see calls() of sanitize.py */
    uint32_t words, regions;
};

/* Four bytes of parameters: a number, or an offset in a region. */
struct Word {
    uint32_t region; /* 0 for a number, else one more than its index */
    uint32_t value;
};

struct Region {
    uint32_t size;
    uint32_t slack; /* bytes behind it that may be read and written */
    uint32_t is_output;
};

enum { MOST_WORDS = 64, MOST_REGIONS = 16 };

static uint8_t *blocks[MOST_REGIONS];

static void *pointer(struct Word word) { return word.region ? blocks[word.region - 1] + word.value : NULL; }

static float real(struct Word word) {
    float x;
    memcpy(&x, &word.value, sizeof x);
    return x;
}

#include "calls.h"

static void read_all(void *to, size_t size) {
    if (size && fread(to, size, 1, stdin) != 1) exit(2);
}

static void write_all(const void *from, size_t size) {
    if (size && fwrite(from, size, 1, stdout) != 1) exit(2);
}

int main(void) {
    struct Request head;
    while (fread(&head, sizeof head, 1, stdin) == 1) {
        struct Word words[MOST_WORDS];
        struct Region regions[MOST_REGIONS];
        if (head.words > MOST_WORDS || head.regions > MOST_REGIONS) return 2;
        read_all(words, head.words * sizeof *words);
        read_all(regions, head.regions * sizeof *regions);
        for (uint32_t i = 0; i < head.regions; i++) {
            blocks[i] = malloc(regions[i].size + regions[i].slack);
            if (!blocks[i]) return 2;
            read_all(blocks[i], regions[i].size);
        }
        const int32_t result = call(head.index, words);
        write_all(&result, sizeof result);
        for (uint32_t i = 0; i < head.regions; i++) {
            if (regions[i].is_output) write_all(blocks[i], regions[i].size);
            free(blocks[i]);
        }
        fflush(stdout);
    }
    return 0;
}
