/* The coefficient controller that keeps DC coefficients only; see jpeg_dc.c. */
#ifndef JPEG_DC_H
#define JPEG_DC_H

#include <stdint.h>
#include <stdio.h>

#include "jpeglib.h"

/* Set before jpeg_start_decompress: whether the next image is decoded from its DC coefficients alone. */
extern int jpeg_dc_only;

/* Bytes that the full coefficient buffer of an image takes, known once its header is read. */
uint64_t jpeg_coefficient_bytes(j_decompress_ptr cinfo);

#endif
