/*
 * Computes only the part of a JPEG that is wanted. All of its entropy-coded data up to the last wanted row have to be
 * read, since each code begins where the one before ends; but the inverse DCT of a block, and the conversion of a row to
 * RGB, are left out where no crop of the resizer lies. libjpeg's own jpeg_crop_scanline and jpeg_skip_scanlines do not
 * work with input that suspends.
 *
 * Bounds: fancy upsampling takes a sample of each neighbour, so a margin around the part is computed: two samples of each
 * component to the sides, and the row of MCUs above. What is left out stays as it was in libjpeg's buffers, and no pixel
 * of a crop is made of it.
 */
#define JPEG_INTERNALS
#include "jpeg_part.h"

#include <stdint.h>

#include "resize.h"

enum { MARGIN = 2 };

static inverse_DCT_method_ptr inverse_dct[MAX_COMPONENTS];
static void (*color_convert)(j_decompress_ptr, JSAMPIMAGE, JDIMENSION, JSAMPARRAY, int);
static JDIMENSION first_row;                                  /* of MCUs */
static JDIMENSION begin[MAX_COMPONENTS], end[MAX_COMPONENTS]; /* columns of samples, by component */

static void wanted_dct(j_decompress_ptr cinfo, jpeg_component_info *component, JCOEFPTR block, JSAMPARRAY output,
                       JDIMENSION column) {
  int c = component->component_index;
  if (cinfo->output_iMCU_row < first_row || column >= end[c]) return;
  if (column + (JDIMENSION)component->DCT_scaled_size <= begin[c]) return;
  inverse_dct[c](cinfo, component, block, output, column);
}

static void wanted_color(j_decompress_ptr cinfo, JSAMPIMAGE input, JDIMENSION input_row, JSAMPARRAY output, int rows) {
  if (resize_wants(cinfo->output_scanline)) color_convert(cinfo, input, input_row, output, rows);
}

void jpeg_part_start(j_decompress_ptr cinfo) {
  uint32_t left, right, top = resize_begin();
  resize_columns(&left, &right);
  if (top == 0 && left == 0 && right == cinfo->output_width) return;
  uint32_t height = (uint32_t)(cinfo->max_v_samp_factor * cinfo->min_DCT_scaled_size);
  first_row = top / height > 0 ? top / height - 1 : 0;
  for (int c = 0; c < cinfo->num_components; c++) {
    uint64_t width = cinfo->comp_info[c].downsampled_width;
    uint64_t from = left * width / cinfo->output_width,
             to = (right * width + cinfo->output_width - 1) / cinfo->output_width;
    begin[c] = from > MARGIN ? (JDIMENSION)from - MARGIN : 0;
    end[c] = (JDIMENSION)to + MARGIN;
    inverse_dct[c] = cinfo->idct->inverse_DCT[c];
    cinfo->idct->inverse_DCT[c] = wanted_dct;
  }
  color_convert = cinfo->cconvert->color_convert;
  cinfo->cconvert->color_convert = wanted_color;
}
