/*
 * What src/memory.c is to wasm, on top of the C library's malloc, whose blocks AddressSanitizer watches: a limit, and
 * everything is forgotten at once. The decoders' calls of malloc and its kind come here (sanitize.py renames them).
 *
 * What is in use is counted as src/memory.c lays it out, but for gaps between blocks; so near the limit an image may be
 * decoded here that is refused there.
 */
#include "../../src/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, HEADER = 16 };

struct Block {
  struct Block *next;
  void *payload;
  size_t size;
};

static struct Block *blocks;
static size_t limit, used, peak;

/* Bytes of the wasm module's static data and stack, set by main.c. */
uint32_t memory_base;

static size_t cost(size_t size) { return HEADER + ((size ? size : 1) + ALIGN - 1) / ALIGN * ALIGN; }

static struct Block **link_of(void *payload) {
  struct Block **link = &blocks;
  while (*link && (*link)->payload != payload) link = &(*link)->next;
  if (!*link) abort(); /* not a block, or freed before */
  return link;
}

static int fits(size_t size, size_t given_back) {
  return size <= 0x7fffffffu && used - given_back + cost(size) <= limit;
}

static void count(size_t more) {
  used += more;
  if (used > peak) peak = used;
}

void memory_reset(uint32_t new_limit) {
  while (blocks) {
    struct Block *next = blocks->next;
    free(blocks->payload);
    free(blocks);
    blocks = next;
  }
  limit = new_limit;
  used = peak = memory_base;
}

uint32_t memory_peak(void) { return (uint32_t)peak; }

uint32_t memory_left(void) { return limit > used + HEADER ? (uint32_t)(limit - used - HEADER) : 0; }

void *codecs_malloc(size_t size) {
  if (!fits(size, 0)) return NULL;
  struct Block *block = malloc(sizeof *block);
  void *payload = malloc(size);
  if (!block || !payload) abort();
  *block = (struct Block){blocks, payload, size};
  blocks = block;
  count(cost(size));
  return payload;
}

void codecs_free(void *payload) {
  if (!payload) return;
  struct Block **link = link_of(payload), *block = *link;
  *link = block->next;
  used -= cost(block->size);
  free(payload);
  free(block);
}

void *codecs_calloc(size_t items, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(items, size, &bytes)) return NULL;
  void *payload = codecs_malloc(bytes);
  if (payload) memset(payload, 0, bytes);
  return payload;
}

/* Always moves, so that a pointer that was kept from before is found out. */
void *codecs_realloc(void *payload, size_t size) {
  if (!payload) return codecs_malloc(size);
  struct Block *block = *link_of(payload);
  if (!fits(size, cost(block->size))) return NULL;
  void *moved = malloc(size);
  if (!moved) abort();
  memcpy(moved, payload, size < block->size ? size : block->size);
  free(payload);
  used -= cost(block->size);
  count(cost(size));
  block->payload = moved;
  block->size = size;
  return moved;
}
