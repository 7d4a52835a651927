/*
 * libjpeg's data source: the window onto the file. libjpeg suspends when the window is empty, and goes on from where it
 * last consumed a byte when the window has more.
 *
 * Bounds: when libjpeg suspends, it has consumed all but the segment or the MCU that it is reading, and whatever it
 * looked at since then is read again with the next chunk of the file. codecs.c waits until there is twice as much, so
 * that reading is linear however small the chunks are. Fill bytes (a run of FF in front of a marker, of any length) are
 * the exception: libjpeg does not consume them either, and all but the last are dropped here.
 */
#define JPEG_INTERNALS
#include "jpeg_source.h"

#include <string.h>

#include "input.h"

int jpeg_past_end;

static struct jpeg_source_mgr source;
static const uint8_t *lent; /* the first byte that was lent to libjpeg */
static uint32_t skip_left;  /* of a segment that libjpeg skips, beyond what the window holds */

static void init_source(j_decompress_ptr cinfo) { (void)cinfo; }

/* Whether libjpeg is in entropy-coded data. */
static int in_scan(j_decompress_ptr cinfo) {
  return cinfo->coef && cinfo->inputctl->consume_input == cinfo->coef->consume_data;
}

/* A marker that is made up ends entropy-coded data and a search for markers. Within a segment it would be taken for data,
 * and a table of a scan that never came would spoil those that did: there libjpeg is left suspended for good. */
static boolean fill_input_buffer(j_decompress_ptr cinfo) {
  static const JOCTET end_of_image[2] = {0xff, JPEG_EOI};
  if (!input.ended) return FALSE;
  jpeg_past_end = 1;
  if (!in_scan(cinfo) && cinfo->unread_marker != 0) return FALSE;
  cinfo->src->next_input_byte = end_of_image;
  cinfo->src->bytes_in_buffer = sizeof end_of_image;
  return TRUE;
}

static void skip_input_data(j_decompress_ptr cinfo, long count) {
  if (count <= 0) return;
  size_t now = (size_t)count < cinfo->src->bytes_in_buffer ? (size_t)count : cinfo->src->bytes_in_buffer;
  cinfo->src->next_input_byte += now;
  cinfo->src->bytes_in_buffer -= now;
  skip_left += (uint32_t)((size_t)count - now);
}

void jpeg_source_open(j_decompress_ptr cinfo) {
  skip_left = 0;
  jpeg_past_end = 0;
  memset(&source, 0, sizeof source);
  source.init_source = init_source;
  source.fill_input_buffer = fill_input_buffer;
  source.skip_input_data = skip_input_data;
  source.resync_to_restart = jpeg_resync_to_restart;
  source.term_source = init_source;
  cinfo->src = &source;
}

void jpeg_source_lend(j_decompress_ptr cinfo) {
  (void)cinfo;
  if (jpeg_past_end) return; /* libjpeg reads the artificial marker from now on */
  input_skip(&skip_left);
  source.next_input_byte = lent = input.next;
  source.bytes_in_buffer = input.available;
}

int jpeg_source_is_padding(j_decompress_ptr cinfo, uint32_t size) {
  /* libjpeg has reported all skipped bytes to its source, but not the marker. */
  const uint8_t *end = cinfo->src->next_input_byte;
  uint32_t there = (uint32_t)(end - lent) < size ? (uint32_t)(end - lent) : size;
  uint8_t value = there ? end[-1] : 0;
  if (value != 0 && value != 0xff) return 0;
  for (uint32_t i = 1; i < there; i++) {
    if (end[-1 - (int)i] != value) return 0;
  }
  return 1;
}

/* Whether libjpeg is suspended in entropy-coded data or while it looks for a marker, where FF FF means what FF does. In
 * a segment the bytes are data: its marker stays `unread` until all of the segment is there. */
static int fill_bytes_may_be_dropped(j_decompress_ptr cinfo) {
  int seeks_marker = cinfo->unread_marker == 0 && cinfo->marker->saw_SOI;
  return in_scan(cinfo) || seeks_marker;
}

void jpeg_source_return(j_decompress_ptr cinfo, int suspended) {
  if (jpeg_past_end) {
    input_consume(input.available);
    return;
  }
  input_consume(input.available - (uint32_t)source.bytes_in_buffer);
  if (!suspended || !fill_bytes_may_be_dropped(cinfo)) return;
  uint32_t fill = 0;
  while (fill < input.available && input.next[input.available - 1 - fill] == 0xff) fill++;
  if (fill > 1) input_drop_last(fill - 1);
}
