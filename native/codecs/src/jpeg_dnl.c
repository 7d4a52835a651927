/*
 * JPEG whose frame header has a height of 0, which a DNL segment behind the first scan defines (ITU-T T.81, B.2.5):
 * scanners and fax gateways that do not know the height when they begin write it. libjpeg refuses such files.
 *
 * Purpose: walks the segments of the header as they come, and where the height is 0, holds the file in the window until
 * DNL is there, and writes its height into the frame header. Then libjpeg reads a file like any other.
 * Bounds: each byte of the header is looked at once. Files with a height are looked at up to their frame header only.
 * Memory: such a file is kept up to its DNL segment, within the limit for the window.
 */
#include "jpeg_dnl.h"

#include "codecs.h"
#include "input.h"

enum {
  SOF0 = 0xc0,
  DHT = 0xc4,
  RST0 = 0xd0,
  SOI = 0xd8,
  EOI = 0xd9,
  SOS = 0xda,
  DNL = 0xdc,
  JPG = 0xc8,
  DAC = 0xcc,
  TEM = 0x01
};

static enum { SEEK, MARKER, LENGTH_HIGH, LENGTH_LOW, PRECISION, HEIGHT_HIGH, HEIGHT_LOW, SKIP, FINISHED } state;
static uint32_t looked_at; /* offset in the file up to which bytes were examined */
static uint32_t marker, length, value;
static uint32_t height_at; /* offset of the height in the frame header */
static int wanted;         /* the frame header has no height */
static int in_scan;        /* the first scan has begun */

void jpeg_dnl_open(void) {
  state = SEEK;
  looked_at = height_at = 0;
  wanted = in_scan = 0;
}

static int is_frame(uint32_t code) {
  return code >= SOF0 && code < SOF0 + 16 && code != DHT && code != JPG && code != DAC;
}

static void take_marker(uint32_t code) {
  marker = code;
  int alone = code == SOI || code == TEM || (code >= RST0 && code < RST0 + 8);
  if (code == 0xff) return; /* a fill byte */
  if (code == 0 || alone) {
    state = SEEK;
  } else if (in_scan && code != DNL) {
    state = FINISHED; /* no height: libjpeg reports the error */
  } else {
    state = code == EOI ? FINISHED : LENGTH_HIGH;
  }
}

static void take_height(uint32_t at) {
  if (marker == DNL) {
    uint8_t *height = (uint8_t *)input.next + (height_at - input.position); /* libjpeg has received nothing since */
    height[0] = (uint8_t)(value >> 8);
    height[1] = (uint8_t)value;
    state = FINISHED;
  } else if (value != 0) {
    state = FINISHED;
  } else {
    wanted = 1;
    height_at = at - 1;
    state = SKIP;
  }
}

int jpeg_dnl_look(void) {
  const uint8_t *bytes = input.next;
  uint32_t at = looked_at - input.position;
  while (at < input.available && state != FINISHED) {
    uint32_t byte = bytes[at];
    switch (state) {
      case SEEK:
        if (byte == 0xff) state = MARKER;
        break;
      case MARKER:
        take_marker(byte);
        break;
      case LENGTH_HIGH:
        length = byte << 8;
        state = LENGTH_LOW;
        break;
      case LENGTH_LOW:
        length = (length | byte) > 2 ? (length | byte) - 2 : 0;
        state = marker == DNL && in_scan ? HEIGHT_HIGH : is_frame(marker) && !wanted ? PRECISION : SKIP;
        if (marker == SOS) {
          in_scan = 1;
          if (!wanted) state = FINISHED;
        }
        if (state == SKIP && !length) state = SEEK;
        break;
      case PRECISION:
        length--;
        state = HEIGHT_HIGH;
        break;
      case HEIGHT_HIGH:
        value = byte << 8;
        state = HEIGHT_LOW;
        break;
      case HEIGHT_LOW:
        value |= byte;
        length = length > 2 ? length - 2 : 0;
        take_height(at + input.position);
        if (state == SKIP && !length) state = SEEK;
        break;
      case SKIP: {
        uint32_t now = length < input.available - at ? length : input.available - at;
        length -= now;
        at += now;
        if (!length) state = SEEK;
        continue;
      }
      case FINISHED:
        break;
    }
    at++;
  }
  looked_at = at + input.position;
  if (state == FINISHED || !wanted) return STATUS_DONE;
  return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
}
