/*
 * JPEG through libjpeg-turbo: baseline, extended and progressive, Huffman and arithmetic, grey, YCbCr, RGB, CMYK and
 * YCCK, all subsamplings, scaled to n/8 in the DCT domain. The slow integer DCT and fancy upsampling are what Pillow
 * uses, so at 8/8 the pixels are Pillow's.
 *
 * Bounds: libjpeg checks the stream. This file checks the pixel count and, before anything is allocated, the size of the
 * coefficient buffer of files with several scans; jpeg_scans.c counts scans and bounds what they cost; jpeg_source.c
 * keeps reading linear. libjpeg's errors leave through fail_with.
 * Memory: the input window, a few rows of samples, and for files with several scans all coefficients
 * (info.coefficientBytes), unless jpeg_dc.c reads only the DC ones, as it does for Huffman-coded progressive files at
 * 1/8 scale. Arithmetic-coded files, which are rare, are kept whole in the window.
 */
#define JPEG_INTERNALS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "input.h"
#include "jerror.h"
#include "jpeg_dc.h"
#include "jpeg_scans.h"
#include "jpeg_source.h"
#include "jpeglib.h"
#include "memory.h"
#include "resize.h"

static struct jpeg_decompress_struct jpeg;
static struct jpeg_error_mgr errors;

static int hit_end;      /* entropy data were missing after that */
static int seen_exif;    /* a segment with EXIF was read */
static uint8_t *samples; /* one scanline, for CMYK and grey */
static uint8_t *rgb;     /* one scanline as RGB */
static int started;      /* the scans of a file with several, if that is one, are absorbed, and rows can be read */
static int absorbing;    /* jpeg_start_decompress was called for a file with several scans */
static int real_rows;    /* how many rows were there when the data ran out; -1 while they have not */

/* ---- Errors and warnings ---- */

static int status_of(int message) {
  switch (message) {
    case JERR_OUT_OF_MEMORY:
      return ERROR_MEMORY;
    case JERR_NO_SOI:
      return ERROR_SIGNATURE;
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_ARITH_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
      return ERROR_UNSUPPORTED;
    case JERR_NO_IMAGE: /* EOI before SOS */
      return jpeg_past_end ? ERROR_EMPTY : ERROR_BROKEN;
    default:
      return ERROR_BROKEN;
  }
}

static void error_exit(j_common_ptr cinfo) {
  int message = cinfo->err->msg_code;
  int status = status_of(message);
  if (status == ERROR_BROKEN && jpeg_past_end && !started && info.rows == 0) status = ERROR_EMPTY;
  fail_with(status, message);
}

static void emit_message(j_common_ptr cinfo, int level) {
  if (level >= 0) return; /* traces */
  info.warnings++;
  if (cinfo->err->msg_code == JWRN_HIT_MARKER && jpeg_past_end) hit_end = 1;
}

static void ignore_message(j_common_ptr cinfo) { (void)cinfo; }

static void format_nothing(j_common_ptr cinfo, char *buffer) {
  (void)cinfo;
  buffer[0] = 0;
}

/* APP1: EXIF is read where it lies, so nothing of it is kept. Suspends until the segment is in the window. */
static boolean read_app1(j_decompress_ptr cinfo) {
  enum { LENGTH_BYTES = 2, EXIF_HEADER = 6 };
  const uint8_t *segment = cinfo->src->next_input_byte;
  size_t available = cinfo->src->bytes_in_buffer;
  if (available < LENGTH_BYTES) {
    if (input.ended) fail_with(ERROR_EMPTY, 0);
    return FALSE;
  }
  size_t length = (size_t)segment[0] << 8 | segment[1];
  if (length < LENGTH_BYTES) fail_with(ERROR_BROKEN, JERR_BAD_LENGTH);
  if (available < length) {
    if (input.ended) fail_with(ERROR_EMPTY, 0);
    return FALSE;
  }
  /* The directory is in the first segment; long EXIF goes on in others of the same name. */
  if (!seen_exif && length > LENGTH_BYTES + EXIF_HEADER && !memcmp(segment + LENGTH_BYTES, "Exif\0", EXIF_HEADER - 1)) {
    seen_exif = 1;
    uint32_t header = LENGTH_BYTES + EXIF_HEADER;
    info.orientation = exif_orientation(segment + header, (uint32_t)length - header);
  }
  cinfo->src->next_input_byte += length;
  cinfo->src->bytes_in_buffer -= length;
  return TRUE;
}

/* ---- The decoder ---- */

static void jpeg_open(void) {
  hit_end = started = absorbing = seen_exif = 0;
  real_rows = -1;
  samples = rgb = NULL;
  jpeg_dc_only = 0;

  memset(&errors, 0, sizeof errors);
  errors.error_exit = error_exit;
  errors.emit_message = emit_message;
  errors.output_message = ignore_message;
  errors.format_message = format_nothing;
  errors.reset_error_mgr = ignore_message;
  memset(&jpeg, 0, sizeof jpeg);
  jpeg.err = &errors;
  jpeg_create_decompress(&jpeg);
  jpeg_source_open(&jpeg);
  jpeg_scans_open();
  jpeg_set_marker_processor(&jpeg, JPEG_APP0 + 1, read_app1);
}

static int jpeg_header(void) {
  if (input.position == 0 && input.available < 2) return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
  jpeg_source_lend(&jpeg);
  int result = jpeg_read_header(&jpeg, TRUE);
  jpeg_source_return(&jpeg, result == JPEG_SUSPENDED);
  if (result == JPEG_SUSPENDED) return STATUS_NEED_INPUT;

  int status = check_size(jpeg.image_width, jpeg.image_height);
  if (status != STATUS_DONE) return status;
  info.components = jpeg.num_components;
  info.bits = jpeg.data_precision;
  if (jpeg.data_precision != 8 || jpeg.master->lossless) return ERROR_UNSUPPORTED;
  if (jpeg.num_components != 1 && jpeg.num_components != 3 && jpeg.num_components != 4) return ERROR_UNSUPPORTED;
  if (jpeg.progressive_mode) info.flags |= FLAG_PROGRESSIVE;
  info.parts = 1;
  if (jpeg.inputctl->has_multiple_scans) {
    uint64_t bytes = jpeg_coefficient_bytes(&jpeg);
    info.flags |= FLAG_BUFFERED;
    info.coefficientBytes = bytes > 0x7fffffff ? 0x7fffffff : (int32_t)bytes;
  }
  return STATUS_HEADER;
}

static int jpeg_scale(int eighths) {
  if (eighths < 1 || eighths > 8) return ERROR_USAGE;
  jpeg_dc_only = eighths == 1 && jpeg.progressive_mode && !jpeg.arith_code;
  info.flags = jpeg_dc_only ? info.flags | FLAG_DC_ONLY : info.flags & ~FLAG_DC_ONLY;
  if (!jpeg_dc_only && (uint32_t)info.coefficientBytes > memory_left()) return ERROR_COEFFICIENTS;

  jpeg.scale_num = (unsigned)eighths;
  jpeg.scale_denom = 8;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg.do_fancy_upsampling = TRUE;
  jpeg.out_color_space = jpeg.num_components == 4 ? JCS_CMYK : jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_calc_output_dimensions(&jpeg);
  info.scaledWidth = (int32_t)jpeg.output_width;
  info.scaledHeight = (int32_t)jpeg.output_height;
  return STATUS_DONE;
}

static int jpeg_start(void) {
  size_t width = jpeg.output_width;
  samples = malloc(width * (size_t)jpeg.num_components + ROW_PADDING);
  rgb = jpeg.num_components == 3 ? samples : malloc(width * 3 + ROW_PADDING);
  return samples && rgb ? STATUS_DONE : ERROR_MEMORY;
}

static void grey_to_rgb(void) {
  for (JDIMENSION x = 0; x < jpeg.output_width; x++) memset(rgb + x * 3, samples[x], 3);
}

/* Adobe's CMYK is inverted, and Pillow takes every CMYK JPEG for Adobe's. Then Pillow's cmyk2rgb:
 * (255 - k) - (ink * (255 - k)) / 255, rounded. */
static void cmyk_to_rgb(void) {
  const uint8_t *from = samples;
  uint8_t *to = rgb;
  for (JDIMENSION x = 0; x < jpeg.output_width; x++, from += 4, to += 3) {
    int light = from[3]; /* 255 - k */
    for (int c = 0; c < 3; c++) {
      int product = (255 - from[c]) * light + 128;
      int value = light - (((product >> 8) + product) >> 8);
      to[c] = (uint8_t)(value < 0 ? 0 : value);
    }
  }
}

/* Whether a file with several scans is missing some of what it announced. */
static int scans_incomplete(void) {
  if (!jpeg_past_end) return 0;
  if (hit_end || !jpeg.coef_bits) return 1;
  for (int c = 0; c < jpeg.num_components; c++) {
    for (int k = 0; k < (jpeg_dc_only ? 1 : DCTSIZE2); k++) {
      if (jpeg.coef_bits[c][k] != 0) return 1;
    }
  }
  return 0;
}

/* Up to the first row: of a file with several scans, all of its input. */
static int begin_rows(int *budget) {
  if (!(info.flags & FLAG_BUFFERED)) {
    if (!jpeg_start_decompress(&jpeg)) return STATUS_NEED_INPUT;
    started = 1;
    /* Huffman codes need a bit for each coefficient at least; arithmetic ones next to nothing. */
    return jpeg.arith_code ? jpeg_charge_single_scan(&jpeg) : STATUS_DONE;
  }
  if (!absorbing) {
    absorbing = 1;
    jpeg.buffered_image = TRUE; /* nothing is absorbed until we ask for it */
    jpeg_start_decompress(&jpeg);
  }
  int status = jpeg_absorb_scans(&jpeg, budget);
  if (status != STATUS_DONE) return status;
  jpeg_start_output(&jpeg, jpeg.input_scan_number);
  started = 1;
  return STATUS_DONE;
}

static int decode_rows(int budget) {
  if (!started) {
    int status = begin_rows(&budget);
    if (status != STATUS_DONE) return status;
  }
  while (jpeg.output_scanline < resize_end()) {
    if (budget-- <= 0) return STATUS_MORE;
    JDIMENSION y = jpeg.output_scanline;
    JSAMPROW row = samples;
    if (jpeg_read_scanlines(&jpeg, &row, 1) != 1) return STATUS_NEED_INPUT;
    if (jpeg.num_components == 1) grey_to_rgb();
    if (jpeg.num_components == 4) cmyk_to_rgb();
    int before = info.rows;
    resize_row(y, rgb);
    /* A single scan decodes as its rows are read, so what comes after the end is libjpeg's padding. */
    if (hit_end && !(info.flags & FLAG_BUFFERED)) {
      if (real_rows < 0) real_rows = before;
      info.rows = real_rows;
    }
  }
  if (info.flags & FLAG_BUFFERED ? scans_incomplete() : hit_end) {
    return info.rows > 0 ? STATUS_TRUNCATED : ERROR_EMPTY;
  }
  return STATUS_DONE;
}

static int jpeg_rows(int budget) {
  /* libjpeg's arithmetic decoder cannot suspend, so such a file waits in the window until it is complete. */
  if (jpeg.arith_code && !input.ended) return STATUS_NEED_INPUT;
  jpeg_source_lend(&jpeg);
  int status = decode_rows(budget);
  jpeg_source_return(&jpeg, status == STATUS_NEED_INPUT);
  return status;
}

const struct Decoder jpeg_decoder = {jpeg_open, jpeg_header, jpeg_scale, jpeg_start, jpeg_rows};
