/* What libjpeg reads from; see jpeg_source.c. */
#ifndef JPEG_SOURCE_H
#define JPEG_SOURCE_H

#include <stdint.h>
#include <stdio.h>

#include "jpeglib.h"

/* The input ended before libjpeg met an EOI marker: one is made up, or libjpeg stays suspended in a segment. */
extern int jpeg_past_end;

/* Connects libjpeg to the window onto the file. */
void jpeg_source_open(j_decompress_ptr cinfo);

/* Lends the window to libjpeg. Afterwards jpeg_source_return tells the window what was consumed. */
void jpeg_source_lend(j_decompress_ptr cinfo);

/* `suspended`: libjpeg has looked at every byte of the window and found that it needs more. */
void jpeg_source_return(j_decompress_ptr cinfo, int suspended);

/* Whether the last `size` bytes that libjpeg skipped, in front of the marker that it has just found, are padding: all
 * zeros or all FF, as far as they are in the window. */
int jpeg_source_is_padding(j_decompress_ptr cinfo, uint32_t size);

#endif
