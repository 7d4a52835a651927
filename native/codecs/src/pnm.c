/*
 * PNM: raw greymaps (P5) and pixmaps (P6) of 8 and 16 bits, as ffmpeg and industrial cameras write frames, as Pillow's
 * convert('RGB') sees them. Other maxima than 255 are scaled to it, also of grey, which Pillow clips so that nearly all of
 * it is white; 16 bits are big-endian.
 *
 * Bounds: the header is three numbers of at most ten digits, with comments that are dropped as they come; the pixel count
 * is checked before anything is allocated.
 * Memory: a row in the window.
 */
#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "input.h"
#include "resize.h"

enum { WIDTH, HEIGHT, MAXIMUM, NUMBERS };

static enum { MAGIC, BLANKS, COMMENT, DIGITS, READY } state;
static uint32_t numbers[NUMBERS], count;
static uint32_t channels, stride, next_row;

static void pnm_open(void) {
  state = MAGIC;
  memset(numbers, 0, sizeof numbers);
  count = next_row = 0;
}

static int is_blank(uint32_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/* Takes a byte of the header behind the magic number: STATUS_DONE or an error. */
static int take(uint32_t byte) {
  switch (state) {
    case BLANKS:
      if (is_blank(byte)) return STATUS_DONE;
      if (byte == '#') {
        state = COMMENT;
        return STATUS_DONE;
      }
      state = DIGITS;
      /* fall through */
    case DIGITS:
      if (byte >= '0' && byte <= '9') {
        if (numbers[count] > 99999999) return ERROR_BROKEN;
        numbers[count] = numbers[count] * 10 + byte - '0';
        return STATUS_DONE;
      }
      if (!is_blank(byte)) return ERROR_BROKEN;
      state = ++count == NUMBERS ? READY : BLANKS; /* a single blank ends the header */
      return STATUS_DONE;
    default: /* COMMENT */
      if (byte == '\n' || byte == '\r') state = BLANKS;
      return STATUS_DONE;
  }
}

static int pnm_header(void) {
  if (state == MAGIC) {
    if (input.available < 3) return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
    const uint8_t *p = input.next;
    if (p[0] != 'P' || (p[1] != '5' && p[1] != '6') || !(is_blank(p[2]) || p[2] == '#')) return ERROR_SIGNATURE;
    channels = p[1] == '6' ? 3 : 1;
    input_consume(2);
    state = BLANKS;
  }
  while (state != READY) {
    if (!input.available) return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
    int status = take(*input.next);
    if (status != STATUS_DONE) return status;
    input_consume(1);
  }
  if (!numbers[MAXIMUM] || numbers[MAXIMUM] > 65535) return ERROR_BROKEN;
  int status = check_size(numbers[WIDTH], numbers[HEIGHT]);
  if (status != STATUS_DONE) return status;
  info.components = (int32_t)channels;
  info.bits = numbers[MAXIMUM] > 255 ? 16 : 8;
  stride = numbers[WIDTH] * channels * (numbers[MAXIMUM] > 255 ? 2 : 1);
  return STATUS_HEADER;
}

static int pnm_start(void) { return STATUS_DONE; }

/* A sample of the file as 0..255, in Pillow's arithmetic, halves to even; what is above the maximum counts as it. */
static uint32_t scaled(uint32_t value) {
  uint32_t most = numbers[MAXIMUM];
  if (value > most) value = most;
  return (uint32_t)__builtin_rint((double)value / most * 255);
}

static void convert_row(const uint8_t *from, uint8_t *to) {
  uint32_t samples = numbers[WIDTH] * channels, most = numbers[MAXIMUM];
  uint32_t repeat = channels == 1 ? 3 : 1;
  if (most == 255 && channels == 3) {
    memcpy(to, from, samples);
    return;
  }
  for (uint32_t i = 0; i < samples; i++) {
    uint32_t value = most > 255 ? (uint32_t)from[2 * i] << 8 | from[2 * i + 1] : from[i];
    if (most != 255) value = scaled(value);
    for (uint32_t c = 0; c < repeat; c++) *to++ = (uint8_t)value;
  }
}

static int pnm_rows(int budget) {
  while (next_row < resize_end()) {
    if (budget-- <= 0) return STATUS_MORE;
    if (input.available < stride) {
      if (!input.ended) return STATUS_NEED_INPUT;
      return info.rows > 0 ? STATUS_TRUNCATED : ERROR_EMPTY;
    }
    if (resize_wants(next_row)) {
      uint8_t *to = resize_buffer();
      convert_row(input.next, to);
      resize_row(next_row, to);
    }
    input_consume(stride);
    next_row++;
  }
  return STATUS_DONE;
}

const struct Decoder pnm_decoder = {pnm_open, pnm_header, scale_full_size, pnm_start, pnm_rows};
