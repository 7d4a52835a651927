/* The scans of a JPEG that is buffered, within bounds; see jpeg_scans.c. */
#ifndef JPEG_SCANS_H
#define JPEG_SCANS_H

#include <stdint.h>
#include <stdio.h>

#include "jpeglib.h"

/* Forgets the image before. */
void jpeg_scans_open(void);

/* Charges for the only scan of an image, before any of it is decoded: STATUS_DONE or ERROR_WORK. */
int jpeg_charge_single_scan(j_decompress_ptr cinfo);

/* Reads scans into the coefficient buffer until the end of the image (STATUS_DONE). Otherwise STATUS_MORE when about
 * `*budget` rows' worth of work is done, of which *budget is what is left; STATUS_NEED_INPUT; or an error. */
int jpeg_absorb_scans(j_decompress_ptr cinfo, int *budget);

/* The share of the coefficients' bits that never arrived, in millionths (WHOLE: all). */
uint32_t jpeg_scans_missing(j_decompress_ptr cinfo);

#endif
