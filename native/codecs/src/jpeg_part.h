/* Computes only the part of a JPEG that is wanted; see jpeg_part.c. */
#ifndef JPEG_PART_H
#define JPEG_PART_H

#include <stddef.h>
#include <stdio.h>

#include "jpeglib.h"

/* To be called when rows can be read: the functions of libjpeg's pass are chosen then. */
void jpeg_part_start(j_decompress_ptr cinfo);

#endif
