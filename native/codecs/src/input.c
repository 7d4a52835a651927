/*
 * The window onto the file: a buffer that the host fills with chunks of the stream and the decoder empties.
 *
 * Purpose: no decoder needs the whole file, except WebP, which simply does not consume until all of it is there.
 * Bounds: reserve and commit check each other, so a host that miscounts gets an error, not a corrupt heap. The bytes
 * behind the last one are zeroed up to INPUT_PADDING, so that 8-byte reads may run over the end.
 * A decoder that wants more input is called again when there is twice as much as it has not consumed, so that what it
 * looks at once more with each chunk adds up to no more than the file, however small the chunks are.
 * Memory: what is not consumed plus the current chunk. With chunks of 64 KB that is 64 to 128 KB.
 */
#include "input.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_PADDING = 16 };

struct Input input;
static uint8_t *buffer;
static uint32_t capacity; /* without the padding */
static uint32_t reserved;

void input_reset(void) {
  memset(&input, 0, sizeof input);
  buffer = NULL;
  capacity = reserved = 0;
}

uint8_t *input_reserve(uint32_t size) {
  if (size > 0x40000000u || input.ended) return NULL;
  if (input.available && input.next != buffer) memmove(buffer, input.next, input.available);
  uint32_t wanted = input.available + size;
  if (wanted > capacity) {
    /* Doubling keeps the copying linear for WebP; it stops mattering for the others after the first chunk. */
    uint32_t larger = wanted > 2 * capacity ? wanted : 2 * capacity;
    uint8_t *moved = realloc(buffer, larger + INPUT_PADDING);
    if (!moved) moved = realloc(buffer, (larger = wanted) + INPUT_PADDING);
    input.next = buffer;
    if (!moved) return NULL;
    buffer = moved;
    capacity = larger;
  }
  input.next = buffer;
  reserved = size;
  return buffer + input.available;
}

int input_commit(uint32_t size) {
  if (size > reserved || !buffer) return 0;
  reserved = 0;
  input.available += size;
  memset(buffer + input.available, 0, INPUT_PADDING);
  return 1;
}

void input_consume(uint32_t size) {
  if (size > input.available) size = input.available;
  input.next += size;
  input.available -= size;
  input.position += size;
}

void input_drop_last(uint32_t size) {
  if (size > input.available) size = input.available;
  input.available -= size;
  input.position += size; /* these bytes are part of the file all the same */
  memset((uint8_t *)input.next + input.available, 0, INPUT_PADDING);
}

void input_skip(uint32_t *left) {
  uint32_t now = *left < input.available ? *left : input.available;
  input_consume(now);
  *left -= now;
}
