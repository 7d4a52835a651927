/*
 * A coefficient controller for libjpeg that keeps the DC coefficients of a progressive JPEG and skips the rest.
 *
 * Purpose: libjpeg buffers all 64 coefficients of each block of a progressive image, 3 bytes a pixel with 4:2:0, 37 MB
 * at 12 MP. At 1/8 scale a block is one luma pixel, which its DC coefficient gives exactly, so 2 bytes a block suffice,
 * and the AC scans, most of the file, are passed over at memory speed. (libjpeg at 1/8 would use a few AC coefficients
 * of subsampled chroma, which has then twice the blocks it needs; here those chroma pixels come in equal 2x2 groups.)
 *
 * How it fits in: jdmaster.c asks jinit_d_coef_controller for the controller. jdcoefct.c is compiled with that name
 * changed to jpeg_full_coef_controller, and the function here chooses. Entropy decoding, markers, IDCT, upsampling and
 * colour are libjpeg's own; skipping is its marker reader's search for the next marker.
 *
 * Bounds: the arrays are padded to whole MCUs, as jdcoefct.c pads its own, so every block that a scan can address
 * exists. Memory: 2 bytes a block (24 MP 4:2:0: 1.1 MB), counted against the module's limit by malloc.
 */
#define JPEG_INTERNALS
#include "jpeg_dc.h"

#include <string.h>

#include "jerror.h"

void jpeg_full_coef_controller(j_decompress_ptr cinfo, boolean need_full_buffer);

int jpeg_dc_only;

struct DcController {
  struct jpeg_d_coef_controller pub;
  JCOEF *blocks[MAX_COMPONENTS];      /* [rows][columns] DC coefficients of a component */
  JDIMENSION columns[MAX_COMPONENTS]; /* blocks in a row, padded to whole MCUs */
  JDIMENSION mcu_column;              /* where to continue after a suspension, in the current row of MCUs */
  int mcu_row;                        /* the row of MCUs within the row of interleaved MCUs */
  JBLOCK mcu[D_MAX_BLOCKS_IN_MCU];    /* the block that the entropy decoder works on */
  JBLOCK output;                      /* the block that the IDCT works on: zero except for DC */
};

static struct DcController *controller(j_decompress_ptr cinfo) { return (struct DcController *)cinfo->coef; }

static JDIMENSION round_up(JDIMENSION value, int multiple) {
  return (value + (JDIMENSION)multiple - 1) / (JDIMENSION)multiple * (JDIMENSION)multiple;
}

uint64_t jpeg_coefficient_bytes(j_decompress_ptr cinfo) {
  uint64_t blocks = 0;
  for (int c = 0; c < cinfo->num_components; c++) {
    jpeg_component_info *component = &cinfo->comp_info[c];
    blocks += (uint64_t)round_up(component->width_in_blocks, component->h_samp_factor) *
              round_up(component->height_in_blocks, component->v_samp_factor);
  }
  return blocks * sizeof(JBLOCK);
}

static void start_input_pass(j_decompress_ptr cinfo) {
  cinfo->input_iMCU_row = 0;
  controller(cinfo)->mcu_column = 0;
  controller(cinfo)->mcu_row = 0;
}

/* Rows of MCUs in the current row of interleaved MCUs (jdcoefct.c, start_iMCU_row). */
static int mcu_rows(j_decompress_ptr cinfo) {
  if (cinfo->comps_in_scan > 1) return 1;
  if (cinfo->input_iMCU_row < cinfo->total_iMCU_rows - 1) return cinfo->cur_comp_info[0]->v_samp_factor;
  return cinfo->cur_comp_info[0]->last_row_height;
}

/* Copies the DC coefficients of one MCU between the arrays and the blocks that the entropy decoder sees. Refinement
 * scans add a bit to what is there, so they need to see it. */
static void exchange(j_decompress_ptr cinfo, int to_array) {
  struct DcController *dc = controller(cinfo);
  int block = 0;
  for (int i = 0; i < cinfo->comps_in_scan; i++) {
    jpeg_component_info *component = cinfo->cur_comp_info[i];
    int index = component->component_index;
    JDIMENSION row = cinfo->input_iMCU_row * (JDIMENSION)component->v_samp_factor + (JDIMENSION)dc->mcu_row;
    JCOEF *from = dc->blocks[index] + (size_t)row * dc->columns[index] +
                  dc->mcu_column * (JDIMENSION)component->MCU_width;
    for (int y = 0; y < component->MCU_height; y++, from += dc->columns[index]) {
      for (int x = 0; x < component->MCU_width; x++, block++) {
        if (to_array) {
          from[x] = dc->mcu[block][0];
        } else {
          dc->mcu[block][0] = from[x];
        }
      }
    }
  }
}

static int consume_data(j_decompress_ptr cinfo) {
  struct DcController *dc = controller(cinfo);
  if (cinfo->Ss != 0) { /* an AC scan: the marker reader finds its end */
    (*cinfo->inputctl->finish_input_pass)(cinfo);
    return JPEG_SCAN_COMPLETED;
  }
  JBLOCKROW mcu[D_MAX_BLOCKS_IN_MCU];
  for (int i = 0; i < D_MAX_BLOCKS_IN_MCU; i++) mcu[i] = &dc->mcu[i];

  for (int rows = mcu_rows(cinfo); dc->mcu_row < rows; dc->mcu_row++) {
    for (; dc->mcu_column < cinfo->MCUs_per_row; dc->mcu_column++) {
      exchange(cinfo, 0);
      if (!(*cinfo->entropy->decode_mcu)(cinfo, mcu)) return JPEG_SUSPENDED;
      exchange(cinfo, 1);
    }
    dc->mcu_column = 0;
  }
  dc->mcu_row = 0;
  if (++cinfo->input_iMCU_row < cinfo->total_iMCU_rows) return JPEG_ROW_COMPLETED;
  (*cinfo->inputctl->finish_input_pass)(cinfo);
  return JPEG_SCAN_COMPLETED;
}

static void start_output_pass(j_decompress_ptr cinfo) { cinfo->output_iMCU_row = 0; }

/* One row of interleaved MCUs. All input is in by then: jpeg_start_decompress absorbs it. */
static int decompress_data(j_decompress_ptr cinfo, JSAMPIMAGE output) {
  struct DcController *dc = controller(cinfo);
  for (int c = 0; c < cinfo->num_components; c++) {
    jpeg_component_info *component = &cinfo->comp_info[c];
    if (!component->component_needed) continue;
    JDIMENSION row = cinfo->output_iMCU_row * (JDIMENSION)component->v_samp_factor;
    JSAMPARRAY to = output[c];
    for (int y = 0; y < component->v_samp_factor && row < component->height_in_blocks; y++, row++) {
      const JCOEF *from = dc->blocks[c] + (size_t)row * dc->columns[c];
      JDIMENSION column = 0;
      for (JDIMENSION x = 0; x < component->width_in_blocks; x++) {
        dc->output[0] = from[x];
        (*cinfo->idct->inverse_DCT[c])(cinfo, component, dc->output, to, column);
        column += (JDIMENSION)component->DCT_scaled_size;
      }
      to += component->DCT_scaled_size;
    }
  }
  if (++cinfo->output_iMCU_row < cinfo->total_iMCU_rows) return JPEG_ROW_COMPLETED;
  return JPEG_SCAN_COMPLETED;
}

void jinit_d_coef_controller(j_decompress_ptr cinfo, boolean need_full_buffer) {
  if (!jpeg_dc_only) {
    jpeg_full_coef_controller(cinfo, need_full_buffer);
    return;
  }
  struct DcController *dc = (*cinfo->mem->alloc_small)((j_common_ptr)cinfo, JPOOL_IMAGE, sizeof *dc);
  memset(dc, 0, sizeof *dc);
  cinfo->coef = &dc->pub;
  dc->pub.start_input_pass = start_input_pass;
  dc->pub.consume_data = consume_data;
  dc->pub.start_output_pass = start_output_pass;
  dc->pub.decompress_data = decompress_data;
  for (int c = 0; c < cinfo->num_components; c++) {
    jpeg_component_info *component = &cinfo->comp_info[c];
    dc->columns[c] = round_up(component->width_in_blocks, component->h_samp_factor);
    size_t bytes = (size_t)dc->columns[c] * round_up(component->height_in_blocks, component->v_samp_factor) *
                   sizeof(JCOEF);
    dc->blocks[c] = (*cinfo->mem->alloc_large)((j_common_ptr)cinfo, JPOOL_IMAGE, bytes);
    memset(dc->blocks[c], 0, bytes);
  }
}
