/*
 * malloc with a hard limit, for our code, libjpeg and libwebp alike.
 *
 * Purpose: an image may never take more memory than the host allows it, and must fail cleanly when it would. Everything
 * is forgotten at once by memory_reset, so nothing can leak from one image into the next.
 * Bounds: no address at or above the limit is ever handed out, and memory.grow is never called past it; sizes that
 * would overflow are refused. A refused allocation returns NULL and changes nothing.
 * Memory: 16 bytes of header a block. First fit in a list of free blocks sorted by address, neighbours merged; decoders
 * make few and large blocks, so the list stays a handful of entries long.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 65536u
#define ALIGN 16u

struct Block {
  uint32_t size;      /* of the payload, a multiple of ALIGN */
  struct Block *next; /* in the free list; meaningless while the block is in use */
  uint32_t wanted;    /* with guards: the bytes asked for; 0 while the block is free */
  uint32_t padding;
};
_Static_assert(sizeof(struct Block) == ALIGN, "the payload must stay aligned");

extern uint8_t __heap_base; /* placed by the linker after static data and stack */

static struct Block *free_list;
static uint32_t top; /* first address never handed out */
static uint32_t peak;
static uint32_t limit;

/* A build for tests (build.py --guards) puts guard bytes behind each block: writes that stay inside of the module's
 * memory do not trap, so without them the fuzzer would not see one that leaves its block. */
#ifdef MEMORY_GUARDS
enum { GUARD_BYTES = 64, GUARD = 0xa5 };
#else
enum { GUARD_BYTES = 0, GUARD = 0 };
#endif

static uint32_t heap_start(void) { return ((uint32_t)&__heap_base + ALIGN - 1) & ~(ALIGN - 1); }

void memory_reset(uint32_t new_limit) {
  free_list = NULL;
  top = peak = heap_start();
  limit = new_limit;
}

uint32_t memory_peak(void) { return peak; }

uint32_t memory_left(void) {
  uint32_t used = top + sizeof(struct Block);
  return limit > used ? limit - used : 0;
}

/* Makes addresses below `end` usable. */
static int grow_to(uint32_t end) {
  uint32_t have = (uint32_t)__builtin_wasm_memory_size(0) * PAGE;
  if (end <= have) return 1;
  return __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) != (size_t)-1;
}

static void *find_block(size_t wanted) {
  if (wanted > 0x7fffffffu) return NULL;
  uint32_t size = wanted ? ((uint32_t)wanted + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;

  for (struct Block **link = &free_list; *link; link = &(*link)->next) {
    struct Block *block = *link;
    if (block->size < size) continue;
    if (block->size >= size + sizeof(struct Block) + ALIGN) { /* the rest is worth a block of its own */
      struct Block *rest = (struct Block *)((uint8_t *)(block + 1) + size);
      rest->size = block->size - size - sizeof(struct Block);
      rest->next = block->next;
      rest->wanted = 0;
      block->size = size;
      *link = rest;
    } else {
      *link = block->next;
    }
    return block + 1;
  }

  if (top > limit || size + sizeof(struct Block) > limit - top) return NULL;
  uint32_t end = top + sizeof(struct Block) + size;
  if (!grow_to(end)) return NULL;
  struct Block *block = (struct Block *)top;
  block->size = size;
  block->wanted = 0;
  top = end;
  if (top > peak) peak = top;
  return block + 1;
}

void *malloc(size_t wanted) {
  if (!GUARD_BYTES) return find_block(wanted);
  struct Block *block = find_block(wanted + GUARD_BYTES);
  if (!block) return NULL;
  block[-1].wanted = (uint32_t)wanted + 1;
  memset((uint8_t *)block + wanted, GUARD, block[-1].size - wanted);
  return block;
}

#ifdef MEMORY_GUARDS
/* The address of the first block whose guard or header is damaged, or 0. Blocks lie side by side. */
__attribute__((export_name("check"), used)) uint32_t memory_check(void) {
  for (uint32_t at = heap_start(); at < top;) {
    struct Block *block = (struct Block *)at;
    uint8_t *payload = (uint8_t *)(block + 1);
    if (block->size % ALIGN || block->size > top - at - sizeof *block) return at;
    for (uint32_t i = block->wanted ? block->wanted - 1 : block->size; i < block->size; i++) {
      if (payload[i] != GUARD) return at;
    }
    at += sizeof *block + block->size;
  }
  return 0;
}
#endif

void free(void *pointer) {
  if (!pointer) return;
  struct Block *block = (struct Block *)pointer - 1;
  block->wanted = 0;
  struct Block *before = NULL, *after = free_list;
  while (after && after < block) {
    before = after;
    after = after->next;
  }
  block->next = after;
  if (before) {
    before->next = block;
  } else {
    free_list = block;
  }
  if (after && (uint8_t *)(block + 1) + block->size == (uint8_t *)after) {
    block->size += sizeof(struct Block) + after->size;
    block->next = after->next;
  }
  if (before && (uint8_t *)(before + 1) + before->size == (uint8_t *)block) {
    before->size += sizeof(struct Block) + block->size;
    before->next = block->next;
    block = before;
  }
  if ((uint32_t)(block + 1) + block->size == top) { /* the topmost block goes back to the untouched space */
    struct Block **link = &free_list;
    while (*link != block) link = &(*link)->next;
    *link = NULL;
    top = (uint32_t)block;
  }
}

void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
  void *pointer = malloc(bytes);
  if (pointer) memset(pointer, 0, bytes);
  return pointer;
}

void *realloc(void *pointer, size_t size) {
  if (!pointer) return malloc(size);
  struct Block *block = (struct Block *)pointer - 1;
  if (!GUARD_BYTES && size <= block->size) return pointer;
  uint32_t rounded = ((uint32_t)size + ALIGN - 1) & ~(ALIGN - 1);
  if (!GUARD_BYTES && size <= 0x7fffffffu && (uint32_t)pointer + block->size == top && (uint32_t)pointer <= limit &&
      rounded <= limit - (uint32_t)pointer && grow_to((uint32_t)pointer + rounded)) {
    block->size = rounded; /* the topmost block grows where it is */
    top = (uint32_t)pointer + rounded;
    if (top > peak) peak = top;
    return pointer;
  }
  void *moved = malloc(size);
  if (!moved) return NULL;
  memcpy(moved, pointer, size < block->size ? size : block->size);
  free(pointer);
  return moved;
}
