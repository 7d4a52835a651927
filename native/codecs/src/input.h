/* The window onto the file; see input.c. */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

struct Input {
  const uint8_t *next; /* the first byte that the decoder has not consumed */
  uint32_t available;  /* bytes from there on */
  uint32_t position;   /* offset of `next` in the file, for formats that align to it */
  uint32_t wanted;     /* bytes that have to be available before the decoder is called again, unless the input ends */
  int ended;           /* the host has announced the end of the input */
};
extern struct Input input;

/* Forgets everything. */
void input_reset(void);

/* Room for `size` more bytes behind those available, NULL when the memory limit does not allow it. */
uint8_t *input_reserve(uint32_t size);

/* Adds the first `size` reserved bytes; returns 0 if that is more than was reserved. */
int input_commit(uint32_t size);

/* Consumes `size` bytes, at most what is available. */
void input_consume(uint32_t size);

/* Forgets the last `size` bytes of those available. */
void input_drop_last(uint32_t size);

/* Consumes up to *left bytes, fewer when fewer are there, and takes them off *left: for skipping over long chunks. */
void input_skip(uint32_t *left);

static inline uint32_t read_le16(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8; }
static inline uint32_t read_le24(const uint8_t *p) { return read_le16(p) | (uint32_t)p[2] << 16; }
static inline uint32_t read_le32(const uint8_t *p) { return read_le24(p) | (uint32_t)p[3] << 24; }
static inline uint32_t read_be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#endif
