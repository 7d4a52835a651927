/*
 * Absorbs the scans of a JPEG that has several, row by row of MCUs, and bounds what they may cost.
 *
 * A scan goes over every block of its components, however few bytes it has: a file of 1 KB can make a decoder do so
 * hundreds of times for 100 megapixels. So each row of MCUs is charged before it is decoded, by an estimate in
 * nanoseconds of the worst that its blocks can cost beyond the decoding of the bytes themselves. A file may spend
 * ALLOWANCE and PER_BYTE for each byte that has come; beyond that it is refused (ERROR_WORK). Real files stay far below:
 * a progressive photo of 12 MP costs 0.15 s by this estimate, and one of 100 MP, of which only the DC coefficients are
 * read, 0.2 s. What is left of a scan whose data have run out changes nothing and is passed over.
 *
 * The same estimate, and what the bytes cost, end a stretch of work after about as long as the rows that the host asked
 * for take to decode.
 *
 * What came of a file that is not whole is counted by the bits of its coefficients. A coefficient has COEFFICIENT_BITS; a
 * scan brings all but the Al lowest of those in its band, for the rows of MCUs that it reaches. So a file whose last
 * refinement is cut misses little, and one that ends in its first scan nearly all, though both have all of their rows.
 *
 * How it fits in: libjpeg's buffered-image mode, in which the caller asks for each row of input.
 */
#define JPEG_INTERNALS
#include "jpeg_scans.h"

#include "codecs.h"
#include "input.h"
#include "jpeg_source.h"

/* Nanoseconds on a server's core of 2024, from the files of test/hostile-files.mjs. Of arithmetic coding those take up to
 * 3 ns a coefficient; the rest is margin, since no encoder here makes the worst case. */
enum {
  PER_BLOCK = 40,
  PER_RESTART = 40,
  PER_REFINED_COEFFICIENT = 3,    /* examined in each block, even if a run of blocks has no bits */
  PER_ARITHMETIC_COEFFICIENT = 8, /* one decision each, which may cost the file almost no bytes */
  PER_SCAN = 10 * 1000,           /* its tables */
  PER_BYTE = 64,
  ALLOWANCE = 500 * 1000 * 1000,
  BYTE_DECODED = 50, /* only for stretches */
  PIXEL_DECODED = 20 /* the budget of a stretch for each pixel of its rows */
};

static uint64_t spent;  /* nanoseconds, estimated */
static int row_is_paid; /* the row of MCUs that is being decoded */

enum { COEFFICIENT_BITS = 10, FRACTION = 1 << 16 };
static uint32_t bits_left[MAX_COMPONENTS]
                         [DCTSIZE2]; /* bits that have not arrived, on average over the blocks, in 1/FRACTION */
static uint32_t whole_rows;          /* in the current scan: rows of MCUs whose data were there */
static int scan_open;                /* a scan has begun and is not counted yet */

void jpeg_scans_open(void) {
  spent = 0;
  row_is_paid = 0;
  whole_rows = 0;
  scan_open = 0;
  for (int c = 0; c < MAX_COMPONENTS; c++) {
    for (int k = 0; k < DCTSIZE2; k++) bits_left[c][k] = COEFFICIENT_BITS * FRACTION;
  }
}

/* Counts the bits that the current scan has brought. */
static void count_scan(j_decompress_ptr cinfo, uint32_t rows) {
  uint32_t all = cinfo->total_iMCU_rows;
  int first = cinfo->progressive_mode ? cinfo->Ss : 0, last = cinfo->progressive_mode ? cinfo->Se : DCTSIZE2 - 1;
  uint32_t low = cinfo->progressive_mode && cinfo->Al < COEFFICIENT_BITS ? (uint32_t)cinfo->Al * FRACTION : 0;
  for (int i = 0; i < cinfo->comps_in_scan; i++) {
    uint32_t *bits = bits_left[cinfo->cur_comp_info[i]->component_index];
    for (int k = first; k <= last && k < DCTSIZE2; k++) {
      if (bits[k] > low) bits[k] -= (uint32_t)((uint64_t)(bits[k] - low) * rows / all);
    }
  }
  scan_open = 0;
}

uint32_t jpeg_scans_missing(j_decompress_ptr cinfo) {
  double missing = 0, all = 0;
  for (int c = 0; c < cinfo->num_components; c++) {
    jpeg_component_info *component = &cinfo->comp_info[c];
    double blocks = (double)component->width_in_blocks * component->height_in_blocks;
    for (int k = 0; k < DCTSIZE2; k++) missing += blocks * bits_left[c][k];
    all += blocks * DCTSIZE2 * COEFFICIENT_BITS * FRACTION;
  }
  uint32_t share = (uint32_t)(missing / all * WHOLE);
  return missing > 0 && share == 0 ? 1 : share;
}

/* The cost of an MCU of the current scan besides its bytes. */
static uint64_t cost_of_mcu(j_decompress_ptr cinfo) {
  uint64_t per_coefficient = cinfo->arith_code ? PER_ARITHMETIC_COEFFICIENT : cinfo->Ah ? PER_REFINED_COEFFICIENT : 0;
  uint64_t coefficients = (uint64_t)(cinfo->Se - cinfo->Ss + 1);
  uint64_t cost = (uint64_t)cinfo->blocks_in_MCU * (PER_BLOCK + per_coefficient * coefficients);
  if (cinfo->restart_interval) cost += PER_RESTART / cinfo->restart_interval;
  return cost;
}

static int charge(uint64_t cost) {
  spent += cost;
  uint64_t bytes = (uint64_t)input.position + input.available;
  return spent > ALLOWANCE + PER_BYTE * bytes ? ERROR_WORK : STATUS_DONE;
}

int jpeg_charge_single_scan(j_decompress_ptr cinfo) {
  return charge((uint64_t)cinfo->MCUs_per_row * cinfo->MCU_rows_in_scan * cost_of_mcu(cinfo));
}

/* The cost of the row of interleaved MCUs that comes next: in a scan of one component it has several rows of MCUs. */
static uint64_t cost_of_row(j_decompress_ptr cinfo) {
  uint64_t rows = cinfo->comps_in_scan > 1 ? 1 : (uint64_t)cinfo->cur_comp_info[0]->v_samp_factor;
  return rows * cinfo->MCUs_per_row * cost_of_mcu(cinfo);
}

static int in_scan(j_decompress_ptr cinfo) { return cinfo->inputctl->consume_input == cinfo->coef->consume_data; }

/* jpeg_dc.c skips the scans of AC coefficients, which costs next to nothing. */
static int is_skipped(j_decompress_ptr cinfo) { return (info.flags & FLAG_DC_ONLY) && cinfo->Ss != 0; }

/* Ends a scan whose data have run out, if nothing can bring the decoder back to them: libjpeg would go over the rest of
 * its blocks without changing them. */
static void pass_over_empty_rows(j_decompress_ptr cinfo) {
  if (!cinfo->entropy->insufficient_data || cinfo->restart_interval || cinfo->arith_code) return;
  cinfo->input_iMCU_row = cinfo->total_iMCU_rows;
  (*cinfo->inputctl->finish_input_pass)(cinfo);
  count_scan(cinfo, whole_rows);
}

/* Whether the row of MCUs that was just read came from the file. The arithmetic decoder silently makes up missing data. */
static int row_is_whole(j_decompress_ptr cinfo) {
  return cinfo->arith_code ? !jpeg_past_end : !cinfo->entropy->insufficient_data;
}

int jpeg_absorb_scans(j_decompress_ptr cinfo, int *budget) {
  uint64_t row_cost = (uint64_t)cinfo->image_width * 8 / cinfo->scale_num * PIXEL_DECODED;
  uint64_t left = (uint64_t)*budget * row_cost;
  for (;;) {
    if (left == 0) return STATUS_MORE;
    uint64_t cost = PER_SCAN;
    int in_any_scan = in_scan(cinfo), scanning = in_any_scan && !is_skipped(cinfo);
    if (in_any_scan && !scan_open) {
      scan_open = 1;
      whole_rows = 0;
    }
    if (scanning && !row_is_paid) {
      cost = cost_of_row(cinfo);
      if (charge(cost) != STATUS_DONE) return ERROR_WORK;
      row_is_paid = 1;
    }
    size_t before = cinfo->src->bytes_in_buffer;
    int result = jpeg_consume_input(cinfo);
    if (result == JPEG_SUSPENDED && jpeg_past_end) { /* in a segment between scans */
      cinfo->inputctl->eoi_reached = TRUE;           /* otherwise smoothing would wait for more */
      break;
    }
    if (result == JPEG_SUSPENDED) return STATUS_NEED_INPUT;
    /* The end of a skipped scan is known when the next marker is. At that point, the scan's parameters are those of the
     * next one, so it is counted as complete beforehand, unless the file ends in it. */
    if (result == JPEG_REACHED_EOI) break;
    row_is_paid = 0;
    if (scanning && (result == JPEG_ROW_COMPLETED || result == JPEG_SCAN_COMPLETED)) whole_rows += row_is_whole(cinfo);
    if (result == JPEG_SCAN_COMPLETED) count_scan(cinfo, scanning ? whole_rows : cinfo->total_iMCU_rows);
    if (result == JPEG_REACHED_SOS) {
      info.parts = cinfo->input_scan_number;
      if ((uint32_t)info.parts > limits.scans) return ERROR_SCANS;
      if (charge(PER_SCAN) != STATUS_DONE) return ERROR_WORK;
    }
    if (result == JPEG_ROW_COMPLETED) pass_over_empty_rows(cinfo);
    size_t after = cinfo->src->bytes_in_buffer;
    if (scanning && before > after) cost += (before - after) * BYTE_DECODED;
    left = left > cost ? left - cost : 0;
  }
  *budget = (int)(left / row_cost);
  return STATUS_DONE;
}
