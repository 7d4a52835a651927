/* Decompresses a zlib stream chunk by chunk; see inflate.c. */
#ifndef INFLATE_H
#define INFLATE_H

#include <stdint.h>

enum {
  INFLATE_WINDOW = 32768, /* how far back a match may reach */
  INFLATE_ROOM = 320,     /* less space than this behind the output is not used, but may be overwritten */
};

enum InflateStatus {
  INFLATE_INPUT,  /* all of the input is consumed */
  INFLATE_FULL,   /* less than INFLATE_ROOM is left behind the output */
  INFLATE_END,    /* the last block is complete; the input behind it is not read */
  INFLATE_BROKEN, /* the input is not a zlib stream */
};

/* Begins a stream. */
void inflate_start(void);

/* Continues with the input [*in, in_end) and writes behind *out, advancing both. The output so far, of which at least
 * the last INFLATE_WINDOW bytes or all must be there, is [begin, *out); nothing is written at or behind out_end. */
enum InflateStatus inflate_run(const uint8_t **in, const uint8_t *in_end, const uint8_t *begin, uint8_t **out,
                               uint8_t *out_end);

#endif
