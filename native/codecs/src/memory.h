/* See memory.c. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Forgets every block and sets the most bytes of wasm memory that may ever be in use (static data and stack included).
 * Memory that was grown before stays with the instance and is used again. */
void memory_reset(uint32_t limit);

/* The highest address ever in use since memory_reset, which is what the instance needed. */
uint32_t memory_peak(void);

/* Bytes that could still be allocated as one block at the top of the heap. */
uint32_t memory_left(void);

#endif
