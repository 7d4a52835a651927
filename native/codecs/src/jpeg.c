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
#include "jpeg_dc.h"
#include "jpeg_dnl.h"
#include "jpeg_part.h"
#include "jpeg_scans.h"
#include "jpeg_source.h"
#include "jpeglib.h"
#include "jerror.h" /* after jpeglib.h: the configuration decides which messages there are */
#include "memory.h"
#include "resize.h"

static struct jpeg_decompress_struct jpeg;
static struct jpeg_error_mgr errors;

static int hit_end;      /* entropy-coded data were missing after that, and no restart interval brings them back */
static int seen_exif;    /* a segment with EXIF was read */
static int in_pixels;    /* the header is read */
static uint8_t *samples; /* one scanline, for CMYK and grey */
static uint8_t *rgb;     /* one scanline as RGB */
static int started;      /* all scans of a file with several are absorbed, and rows can be read */
static int behind_scan;  /* a single scan is complete: reading on to the marker behind it */
static int after_ff;     /* the byte before was FF */
static int absorbing;    /* jpeg_start_decompress was called for a file with several scans */
static int real_rows;    /* the number of rows when the data ran out; -1 until then */

/* ---- Errors and warnings ---- */

static int status_of(int message) {
  switch (message) {
    case JERR_OUT_OF_MEMORY:
      return ERROR_MEMORY;
    case JERR_NO_SOI:
      return ERROR_SIGNATURE;
    case JERR_SOF_UNSUPPORTED:
      return unsupported(UNSUPPORTED_HIERARCHICAL);
    case JERR_BAD_PRECISION:
      return unsupported(UNSUPPORTED_TWELVE_BIT);
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

/* Damage of the pixels. What else libjpeg warns of, odd versions, markers or progressions, costs none; and what it meets
 * behind an early end of the file is told by what is missing. */
static int is_damage(j_decompress_ptr cinfo) {
  if (jpeg_past_end) return 0;
  switch (cinfo->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      return 1;
    case JWRN_EXTRANEOUS_DATA:
      if (jpeg_dc_only && cinfo->Ss != 0) return 0; /* an AC scan that was skipped */
      return in_pixels && !jpeg_source_is_padding(cinfo, (uint32_t)cinfo->err->msg_parm.i[0]);
    default:
      return 0;
  }
}

static void emit_message(j_common_ptr common, int level) {
  if (level >= 0) return; /* traces */
  j_decompress_ptr cinfo = (j_decompress_ptr)common;
  if (is_damage(cinfo)) info.warnings++;
  if (cinfo->err->msg_code != JWRN_HIT_MARKER) return;
  if (jpeg_past_end || cinfo->unread_marker == JPEG_EOI || !cinfo->restart_interval) hit_end = 1;
}

static void ignore_message(j_common_ptr cinfo) { (void)cinfo; }

static void format_nothing(j_common_ptr cinfo, char *buffer) {
  (void)cinfo;
  buffer[0] = 0;
}

/* APP1: EXIF and XMP are read where they lie, so nothing of it is kept. Suspends until the segment is in the window. */
static boolean read_app1(j_decompress_ptr cinfo) {
  enum { LENGTH_BYTES = 2, EXIF_HEADER = 6 };
  static const char xmp[] = "http://ns.adobe.com/xap/1.0/"; /* and the zero behind it */
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
  /* The directory is in the first segment; long EXIF continues in further segments of the same name. */
  if (!seen_exif && length > LENGTH_BYTES + EXIF_HEADER && !memcmp(segment + LENGTH_BYTES, "Exif\0", EXIF_HEADER - 1)) {
    seen_exif = 1;
    uint32_t header = LENGTH_BYTES + EXIF_HEADER;
    exif_orientation(segment + header, (uint32_t)length - header);
  } else if (length > LENGTH_BYTES + sizeof xmp && !memcmp(segment + LENGTH_BYTES, xmp, sizeof xmp)) {
    uint32_t header = LENGTH_BYTES + sizeof xmp;
    xmp_orientation(segment + header, (uint32_t)length - header);
  }
  cinfo->src->next_input_byte += length;
  cinfo->src->bytes_in_buffer -= length;
  return TRUE;
}

/* ---- The decoder ---- */

static void jpeg_open(void) {
  hit_end = started = absorbing = seen_exif = in_pixels = behind_scan = after_ff = 0;
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
  jpeg_dnl_open();
  jpeg_set_marker_processor(&jpeg, JPEG_APP0 + 1, read_app1);
}

static int jpeg_header(void) {
  if (input.position == 0 && input.available < 2) return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
  int height = jpeg_dnl_look();
  if (height != STATUS_DONE) return height;
  jpeg_source_lend(&jpeg);
  int result = jpeg_read_header(&jpeg, TRUE);
  jpeg_source_return(&jpeg, result == JPEG_SUSPENDED);
  if (result == JPEG_SUSPENDED) return jpeg_past_end ? ERROR_EMPTY : STATUS_NEED_INPUT;

  int status = check_size(jpeg.image_width, jpeg.image_height);
  if (status != STATUS_DONE) return status;
  info.components = jpeg.num_components;
  info.bits = jpeg.data_precision;
  in_pixels = 1;
  if (jpeg.master->lossless) return unsupported(UNSUPPORTED_LOSSLESS_JPEG);
  if (jpeg.data_precision != 8) return unsupported(UNSUPPORTED_TWELVE_BIT);
  if (jpeg.num_components != 1 && jpeg.num_components != 3 && jpeg.num_components != 4) {
    return unsupported(UNSUPPORTED_COMPONENTS);
  }
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

/* Reads up to the first row; for a file with several scans, all of its input. */
static int begin_rows(int *budget) {
  if (!(info.flags & FLAG_BUFFERED)) {
    if (!jpeg_start_decompress(&jpeg)) return STATUS_NEED_INPUT;
    jpeg_part_start(&jpeg);
    started = 1;
    /* Huffman codes need a bit for each coefficient at least; arithmetic ones next to nothing. */
    return jpeg.arith_code ? jpeg_charge_single_scan(&jpeg) : STATUS_DONE;
  }
  if (!absorbing) {
    absorbing = 1;
    jpeg.buffered_image = TRUE; /* nothing is absorbed until it is requested */
    jpeg_start_decompress(&jpeg);
  }
  int status = jpeg_absorb_scans(&jpeg, budget);
  if (status != STATUS_DONE) return status;
  info.missing = (int32_t)jpeg_scans_missing(&jpeg);
  if (info.missing == WHOLE) return ERROR_EMPTY;
  jpeg_start_output(&jpeg, jpeg.input_scan_number);
  jpeg_part_start(&jpeg);
  started = 1;
  return STATUS_DONE;
}

/* Whether libjpeg has reached the end of a single scan, all of which was wanted, without meeting a marker. */
static int ends_within_data(void) {
  return !(info.flags & FLAG_BUFFERED) && !jpeg.arith_code && !jpeg_past_end && jpeg.unread_marker == 0 &&
         jpeg.output_scanline == jpeg.output_height;
}

/* Reads on from the last MCU of a scan to the next marker. What stands between them, unless it is padding, belongs to MCUs
 * that were lost: the decoder has taken those behind them for theirs. */
static int look_behind_scan(void) {
  for (; input.available; input_consume(1)) {
    uint32_t byte = *input.next;
    int is_marker = after_ff && byte != 0 && byte != 0xff, is_data = after_ff ? byte == 0 : byte != 0 && byte != 0xff;
    info.warnings += is_data;
    if (is_marker || is_data) return STATUS_DONE;
    after_ff = byte == 0xff;
  }
  return input.ended ? STATUS_DONE : STATUS_NEED_INPUT;
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
    /* A single scan decodes as its rows are read, so what comes after the end is libjpeg's padding. In arithmetic coding
     * it is made up without a warning. */
    if ((hit_end || (jpeg.arith_code && jpeg_past_end)) && !(info.flags & FLAG_BUFFERED)) {
      if (real_rows < 0) real_rows = before;
      info.rows = real_rows;
    }
  }
  if (info.flags & FLAG_BUFFERED) return info.missing ? STATUS_TRUNCATED : STATUS_DONE;
  if (real_rows < 0) return STATUS_DONE;
  return info.rows > 0 ? STATUS_TRUNCATED : ERROR_EMPTY;
}

static int jpeg_rows(int budget) {
  /* libjpeg's arithmetic decoder cannot suspend, so such a file waits in the window until it is complete. */
  if (jpeg.arith_code && !input.ended) return STATUS_NEED_INPUT;
  if (!behind_scan) {
    jpeg_source_lend(&jpeg);
    int status = decode_rows(budget);
    jpeg_source_return(&jpeg, status == STATUS_NEED_INPUT);
    if (status != STATUS_DONE || !ends_within_data()) return status;
    behind_scan = 1;
  }
  return look_behind_scan();
}

const struct Decoder jpeg_decoder = {jpeg_open, jpeg_header, jpeg_scale, jpeg_start, jpeg_rows};
