/*
 * Decodes images with the codecs as a program of this machine, in which sanitizers watch memory and undefined behaviour.
 *
 * Reads cases from standard input until its end: struct Case, then `length` bytes of the file. Writes an answer for each:
 * struct Answer, then the output, if there is one. Each case has a process of its own, since static data are to be as in
 * a new instance, and a sanitizer that finds something ends the process; its report goes to standard error.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/layouts.h"

extern uint32_t memory_base;

/* As decode() of host.mjs takes them. All numbers are 32 bits wide. */
struct Case {
  uint32_t base; /* bytes of the wasm module's static data and stack */
  uint32_t memory, pixels, scans, chunks;
  int32_t format, eighths;
  uint32_t x, y, width, height, outWidth, outHeight;
  int32_t order;
  uint32_t chunk_bytes, slice, length;
};

struct Answer {
  int32_t status;
  struct Info info;
  uint32_t length; /* bytes of the output */
};

/* Statuses of processes that have not answered. */
enum { CRASHED = 1000 };

/* Seconds for one case, with sanitizers: what takes longer hangs. */
enum { DEADLINE = 120 };

/* libwebp's, for formats of pixels that are never asked for: a call ends the process. */
void (*WebPApplyAlphaMultiply)(void), (*WebPApplyAlphaMultiply4444)(void);

static jmp_buf failure;

_Noreturn void host_fail(int status, int detail) {
  (void)detail;
  longjmp(failure, status);
}

static int decode(const struct Case *c, const uint8_t *bytes) {
  const int thrown = setjmp(failure);
  if (thrown) return thrown;
  int status = codecs_init(c->memory, c->pixels, c->scans, c->chunks);
  if (status < 0) return status;
  status = codecs_open(c->format);
  if (status < 0) return status;
  if (c->format == FORMAT_WEBP) codecs_reserve(c->length);
  for (uint32_t offset = 0;;) {
    status = codecs_run(c->slice);
    if (status < 0 || status == STATUS_DONE || status == STATUS_TRUNCATED) return status;
    if (status == STATUS_HEADER) {
      status = codecs_start(c->eighths, c->x, c->y, c->width, c->height, c->outWidth, c->outHeight, c->order);
    } else if (status == STATUS_NEED_INPUT && offset < c->length) {
      const uint32_t size = c->length - offset < c->chunk_bytes ? c->length - offset : c->chunk_bytes;
      uint8_t *to = codecs_reserve(size);
      if (!to) return ERROR_MEMORY;
      memcpy(to, bytes + offset, size);
      status = codecs_commit(size);
      offset += size;
    } else if (status == STATUS_NEED_INPUT) {
      status = codecs_end();
    }
    if (status < 0) return status;
  }
}

static void write_all(const void *data, size_t size) {
  if (fwrite(data, 1, size, stdout) != size) exit(2);
}

static void answer(const struct Case *c, const uint8_t *bytes) {
  memory_base = c->base;
  struct Answer result = {.status = decode(c, bytes)};
  const int has_output = result.status == STATUS_DONE || result.status == STATUS_TRUNCATED;
  result.info = *codecs_info();
  result.length = has_output ? c->outWidth * c->outHeight * 3 : 0;
  const uint8_t *output = has_output ? codecs_output(0) : NULL;
  write_all(&result, sizeof result);
  if (has_output) write_all(output, result.length);
  fflush(stdout);
}

int main(void) {
  struct Case c;
  while (fread(&c, sizeof c, 1, stdin) == 1) {
    uint8_t *bytes = malloc(c.length ? c.length : 1);
    if (!bytes || fread(bytes, 1, c.length, stdin) != c.length) return 2;
    const pid_t child = fork();
    if (child < 0) return 2;
    if (child == 0) {
      alarm(DEADLINE);
      answer(&c, bytes);
      _exit(0);
    }
    int ended;
    if (waitpid(child, &ended, 0) != child) return 2;
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
      const struct Answer none = {.status = CRASHED};
      write_all(&none, sizeof none);
      fflush(stdout);
    }
    free(bytes);
  }
  return 0;
}
