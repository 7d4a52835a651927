/* What libjpeg reads from; see jpeg_source.c. */
#ifndef JPEG_SOURCE_H
#define JPEG_SOURCE_H

#include <stdio.h>

#include "jpeglib.h"

/* The input ended, and an EOI marker was made up. */
extern int jpeg_past_end;

/* Connects libjpeg to the window onto the file. */
void jpeg_source_open(j_decompress_ptr cinfo);

/* Lends the window to libjpeg. Afterwards jpeg_source_return tells the window what was consumed. */
void jpeg_source_lend(j_decompress_ptr cinfo);

/* `suspended`: libjpeg has looked at every byte of the window and found that it needs more. */
void jpeg_source_return(j_decompress_ptr cinfo, int suspended);

#endif
