/*
 * WebP through libwebp: lossy, lossless, alpha dropped, and the first frame of an animation on its canvas, which
 * Pillow leaves black around the frame.
 *
 * Lossy frames are decoded a row of macroblocks at a time with libwebp's own row functions, and come out of the
 * io.put hook as YUV that is upsampled to RGB two rows at a time, as libwebp's EmitFancyRGB does, but into two rows
 * instead of a frame. Lossless frames: webp_lossless.c.
 * Bounds: chunk sizes against the file, chunk count and pixel count against the limits, the frame against its canvas,
 * the bitstream's size against the frame's.
 * Memory: the file itself, as both decoders want it whole; lossy besides about 60 bytes a column, lossless 6.3 MB.
 */
#include <stdlib.h>
#include <string.h>

#include "codecs.h"
#include "input.h"
#include "resize.h"
#include "simd.h"
#include "src/dec/vp8i_dec.h"
#include "src/dsp/dsp.h"
#include "webp_lossless.h"

#define TAG(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* What is known of the file so far. */
struct Layout {
  uint32_t canvas_width, canvas_height; /* 0 while unknown */
  uint32_t frame_x, frame_y, frame_width, frame_height;
  int lossless;
  int has_metadata;     /* EXIF or XMP, as VP8X says */
  const uint8_t *image; /* the VP8 or VP8L payload, NULL while it has not come */
  uint32_t image_size;  /* as much of it as is there */
  int complete;         /* all of the file's chunks are there */
};

static struct Layout layout;

static VP8Decoder *lossy;
static VP8Io io;
static int lossless_started;
static uint8_t *canvas_row;               /* canvas_width RGB pixels, black but for the frame */
static uint8_t *pair;                     /* two RGB rows of the frame */
static uint8_t *last_y, *last_u, *last_v; /* samples of the row that still wants its lower neighbour */
static uint32_t frame_rows;               /* handed to the resizer */

/* ---- The container ---- */

/* Size and kind of a VP8 or VP8L payload. Returns 0 when its first bytes are not there or not right. */
static int read_bitstream_size(const uint8_t *p, uint32_t size, int lossless, uint32_t *width, uint32_t *height) {
  if (lossless) {
    if (size < 5 || p[0] != 0x2f) return 0;
    uint32_t bits = read_le32(p + 1);
    *width = (bits & 0x3fff) + 1;
    *height = (bits >> 14 & 0x3fff) + 1;
    if (bits >> 28 & 1) info.flags |= FLAG_ALPHA;
    return 1;
  }
  if (size < 10 || p[3] != 0x9d || p[4] != 0x01 || p[5] != 0x2a) return 0;
  *width = read_le16(p + 6) & 0x3fff;
  *height = read_le16(p + 8) & 0x3fff;
  return *width && *height;
}

static int read_image_chunk(const uint8_t *p, uint32_t size, uint32_t present, int lossless) {
  if (layout.image) return STATUS_DONE; /* the first frame only */
  uint32_t width, height;
  if (!read_bitstream_size(p, present, lossless, &width, &height)) {
    return present < size && present < 10 ? STATUS_NEED_INPUT : ERROR_BROKEN;
  }
  if (!layout.canvas_width) {
    layout.canvas_width = width;
    layout.canvas_height = height;
  }
  if (!layout.frame_width) {
    layout.frame_width = width;
    layout.frame_height = height;
  }
  if (width != layout.frame_width || height != layout.frame_height) return ERROR_BROKEN;
  if (layout.frame_x + width > layout.canvas_width || layout.frame_y + height > layout.canvas_height) {
    return ERROR_BROKEN;
  }
  layout.lossless = lossless;
  layout.image = p;
  layout.image_size = present;
  return STATUS_DONE;
}

/* Walks the chunks between `at` and `end` of the file, as far as they are there. STATUS_DONE when all are. */
static int walk_chunks(uint32_t at, uint32_t end, int in_frame, uint32_t *chunks) {
  enum { HEAD = 8, VP8X_SIZE = 10, ANMF_SIZE = 16 };
  const uint8_t *file = input.next;
  while (at < end && end - at >= HEAD) {
    if (input.available < at || input.available - at < HEAD) return STATUS_NEED_INPUT;
    if (++*chunks > limits.chunks) return ERROR_CHUNKS;
    uint32_t tag = read_le32(file + at), size = read_le32(file + at + 4);
    at += HEAD;
    if (size > end - at) {
      if (in_frame) return ERROR_BROKEN;
      size = end - at; /* the RIFF size lies; read on as libwebp does */
    }
    const uint8_t *p = file + at;
    uint32_t present = input.available - at < size ? input.available - at : size;
    int status = STATUS_DONE;
    if (tag == TAG('V', 'P', '8', 'X') && !in_frame) {
      if (size < VP8X_SIZE) return ERROR_BROKEN;
      if (present < VP8X_SIZE) return STATUS_NEED_INPUT;
      if (p[0] & 2) info.flags |= FLAG_ANIMATED;
      if (p[0] & 16) info.flags |= FLAG_ALPHA;
      layout.has_metadata = (p[0] & (8 | 4)) != 0; /* EXIF, XMP */
      layout.canvas_width = read_le24(p + 4) + 1;
      layout.canvas_height = read_le24(p + 7) + 1;
    } else if (tag == TAG('A', 'N', 'M', 'F') && !in_frame && !layout.image) {
      if (size < ANMF_SIZE || !layout.canvas_width) return ERROR_BROKEN;
      if (present < ANMF_SIZE) return STATUS_NEED_INPUT;
      layout.frame_x = read_le24(p) * 2;
      layout.frame_y = read_le24(p + 3) * 2;
      layout.frame_width = read_le24(p + 6) + 1;
      layout.frame_height = read_le24(p + 9) + 1;
      status = walk_chunks(at + ANMF_SIZE, at + size, 1, chunks);
    } else if (tag == TAG('V', 'P', '8', ' ') || tag == TAG('V', 'P', '8', 'L')) {
      status = read_image_chunk(p, size, present, tag == TAG('V', 'P', '8', 'L'));
    } else if (tag == TAG('E', 'X', 'I', 'F') && present == size) {
      /* Some writers keep JPEG's header in front of the TIFF structure. */
      uint32_t header = size > 6 && !memcmp(p, "Exif\0", 5) ? 6 : 0;
      exif_orientation(p + header, size - header);
    } else if (tag == TAG('X', 'M', 'P', ' ') && present == size) {
      xmp_orientation(p, size);
    }
    if (status != STATUS_DONE) return status;
    if (present < size) return STATUS_NEED_INPUT;
    if (size & 1 && size < end - at) size++;
    at += size;
  }
  return STATUS_DONE;
}

/* Reads the container anew with the bytes that are there now, and finds out whether that is all of them. */
static int read_layout(void) {
  enum { RIFF_HEAD = 12 };
  memset(&layout, 0, sizeof layout);
  if (input.available < RIFF_HEAD) return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
  const uint8_t *file = input.next;
  if (memcmp(file, "RIFF", 4) || memcmp(file + 8, "WEBP", 4)) return ERROR_SIGNATURE;
  uint32_t riff = read_le32(file + 4);
  if (riff > 0x7ffffff0u) return ERROR_BROKEN;
  uint32_t chunks = 0;
  int status = walk_chunks(RIFF_HEAD, riff + 8, 0, &chunks);
  info.parts = (int32_t)chunks;
  if (status < 0) return status;
  layout.complete = status == STATUS_DONE;
  if (layout.complete && !layout.image) return ERROR_BROKEN;
  return STATUS_DONE;
}

/* ---- Rows ---- */

/* Hands a row of the frame to the resizer, on its canvas. */
static void emit_row(uint32_t y, const uint8_t *rgb) {
  uint32_t canvas_y = y + layout.frame_y;
  frame_rows++;
  if (!resize_wants(canvas_y)) return;
  if (layout.frame_width == layout.canvas_width) {
    resize_row(canvas_y, rgb);
  } else {
    memcpy(canvas_row + layout.frame_x * 3, rgb, layout.frame_width * 3);
    resize_row(canvas_y, canvas_row);
  }
}

static void emit_argb_row(uint32_t y, const uint32_t *argb) {
  if (resize_wants(y + layout.frame_y)) {
    enum { Z = -128 }; /* an index out of range gives zero, and the next pixels overwrite it */
    v128_t order = wasm_i8x16_const(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, Z, Z, Z, Z);
    OPAQUE(order);
    uint32_t x = 0;
    for (; x + 4 <= layout.frame_width; x += 4) {
      wasm_v128_store(pair + 3 * x, wasm_i8x16_swizzle(wasm_v128_load(argb + x), order));
    }
    for (; x < layout.frame_width; x++) {
      pair[3 * x] = (uint8_t)(argb[x] >> 16);
      pair[3 * x + 1] = (uint8_t)(argb[x] >> 8);
      pair[3 * x + 2] = (uint8_t)argb[x];
    }
  }
  emit_row(y, pair);
}

/* libwebp's io->put: some YUV rows of the frame, all but the last of which can be upsampled now. Chroma is interpolated
 * between its rows, so luma rows come out in pairs (1,2), (3,4), ...; the first and, if it has no partner, the last row
 * of the frame stand alone (io_dec.c, EmitFancyRGB). */
static int put_rows(const VP8Io *rows) {
  WebPUpsampleLinePairFunc upsample = WebPUpsamplers[MODE_RGB];
  int width = rows->mb_w, chroma_width = (width + 1) / 2;
  int y = rows->mb_y, end = rows->mb_y + rows->mb_h;
  uint8_t *top = pair, *bottom = pair + (size_t)width * 3 + ROW_PADDING;
  const uint8_t *cur_y = rows->y, *cur_u = rows->u, *cur_v = rows->v;

  if (y == 0) {
    upsample(cur_y, NULL, cur_u, cur_v, cur_u, cur_v, top, NULL, width);
    emit_row(0, top);
  } else {
    upsample(last_y, cur_y, last_u, last_v, cur_u, cur_v, top, bottom, width);
    emit_row((uint32_t)y - 1, top);
    emit_row((uint32_t)y, bottom);
  }
  for (; y + 2 < end; y += 2) {
    const uint8_t *above_u = cur_u, *above_v = cur_v;
    cur_u += rows->uv_stride;
    cur_v += rows->uv_stride;
    cur_y += 2 * rows->y_stride;
    upsample(cur_y - rows->y_stride, cur_y, above_u, above_v, cur_u, cur_v, top, bottom, width);
    emit_row((uint32_t)y + 1, top);
    emit_row((uint32_t)y + 2, bottom);
  }
  cur_y += rows->y_stride;
  if (end < rows->crop_bottom) {
    memcpy(last_y, cur_y, (size_t)width);
    memcpy(last_u, cur_u, (size_t)chroma_width);
    memcpy(last_v, cur_v, (size_t)chroma_width);
  } else if (!(end & 1)) {
    upsample(cur_y, NULL, cur_u, cur_v, cur_u, cur_v, top, NULL, width);
    emit_row((uint32_t)end - 1, top);
  }
  return 1;
}

/* libwebp asks whether there is SSE2. There is: config/webp/emmintrin.h. */
static int has_feature(CPUFeature feature) { return feature == kSSE2; }
VP8CPUInfo VP8GetCPUInfo = has_feature;

/* Linked to by frame_dec.c, which calls it only when it was given alpha data. */
const uint8_t *VP8DecompressAlphaRows(VP8Decoder *const dec, const VP8Io *const rows, int row, int count) {
  (void)dec, (void)rows, (void)row, (void)count;
  return NULL;
}

/* ---- The decoder ---- */

static void webp_open(void) {
  lossy = NULL;
  lossless_started = 0;
  canvas_row = pair = last_y = last_u = last_v = NULL;
  frame_rows = 0;
  lossless_reset();
}

static int webp_header(void) {
  int status = read_layout();
  if (status != STATUS_DONE) return status;
  if (!layout.image) return input.ended ? ERROR_EMPTY : STATUS_NEED_INPUT;
  status = check_size(layout.canvas_width, layout.canvas_height);
  if (status != STATUS_DONE) return status;
  info.components = info.flags & FLAG_ALPHA ? 4 : 3;
  info.bits = 8;
  if (layout.lossless) info.flags |= FLAG_LOSSLESS;
  /* Metadata come last, and `start` has to know how the picture is turned. The file is kept whole all the same. */
  if (layout.has_metadata && !layout.complete && !input.ended) return STATUS_NEED_INPUT;
  return STATUS_HEADER;
}

static int webp_start(void) {
  size_t row_bytes = (size_t)layout.frame_width * 3 + ROW_PADDING;
  pair = malloc(2 * row_bytes);
  canvas_row = calloc(1, (size_t)layout.canvas_width * 3 + ROW_PADDING);
  last_y = malloc((size_t)layout.frame_width);
  last_u = malloc((size_t)layout.frame_width);
  last_v = malloc((size_t)layout.frame_width);
  return pair && canvas_row && last_y && last_u && last_v ? STATUS_DONE : ERROR_MEMORY;
}

/* The data ended, or broke off. */
static int out_of_data(void) { return frame_rows > 0 ? STATUS_TRUNCATED : ERROR_EMPTY; }

/* libwebp's status when a call has failed. */
static int lossy_failure(void) {
  info.detail = lossy->status;
  switch (lossy->status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return ERROR_MEMORY;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return ERROR_UNSUPPORTED;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return layout.complete ? ERROR_BROKEN : out_of_data();
    default:
      return ERROR_BROKEN;
  }
}

static int lossy_begin(void) {
  lossy = VP8New();
  if (!lossy || !VP8InitIo(&io)) return ERROR_MEMORY;
  io.data = layout.image;
  io.data_size = layout.image_size;
  io.put = put_rows;
  WebPInitUpsamplers();
  if (!VP8GetHeaders(lossy, &io)) return lossy_failure();
  if (io.width != (int)layout.frame_width || io.height != (int)layout.frame_height) return ERROR_BROKEN;
  if (VP8EnterCritical(lossy, &io) != VP8_STATUS_OK || !VP8InitFrame(lossy, &io)) return lossy_failure();
  lossy->mb_y = 0;
  return STATUS_DONE;
}

/* vp8_dec.c's ParseFrame, interruptible. */
static int lossy_rows(int budget) {
  enum { MACROBLOCK = 16 };
  uint32_t stop = frame_rows + (uint32_t)budget;
  for (; lossy->mb_y < lossy->br_mb_y; lossy->mb_y++) {
    if (frame_rows + layout.frame_y >= resize_end()) return STATUS_DONE;
    if (frame_rows >= stop) return STATUS_MORE;
    VP8BitReader *tokens = &lossy->parts[(uint32_t)lossy->mb_y & lossy->num_parts_minus_one];
    if (!VP8ParseIntraModeRow(&lossy->br, lossy)) return layout.complete ? ERROR_BROKEN : out_of_data();
    for (; lossy->mb_x < lossy->mb_w; lossy->mb_x++) {
      if (!VP8DecodeMB(lossy, tokens)) return out_of_data();
    }
    VP8InitScanline(lossy);
    if (!VP8ProcessRow(lossy, &io)) return lossy_failure();
  }
  return STATUS_DONE;
}

/* The data of a lossless image end before its first row. */
static int lossless_ends_early(void) { return layout.complete ? ERROR_BROKEN : ERROR_EMPTY; }

static int lossless_some_rows(int budget) {
  enum { ROWS_AT_LEAST = 16 };
  if (!frame_rows) {
    int status = lossless_header((int64_t)budget * layout.frame_width);
    if (status == STATUS_NEED_INPUT) return lossless_ends_early();
    if (status != STATUS_DONE) return status;
  }
  uint32_t end = layout.frame_height;
  uint32_t wanted = resize_end() > layout.frame_y ? resize_end() - layout.frame_y : 0;
  if (wanted < end) end = wanted;
  uint32_t step = (uint32_t)budget < ROWS_AT_LEAST ? ROWS_AT_LEAST : (uint32_t)budget;
  if (frame_rows >= end) return STATUS_DONE;
  uint32_t stop = end - frame_rows < step ? end : frame_rows + step;
  int status = lossless_rows(stop);
  if (status == STATUS_NEED_INPUT) return layout.complete && !frame_rows ? ERROR_BROKEN : out_of_data();
  if (status != STATUS_DONE) return status;
  return frame_rows >= end ? STATUS_DONE : STATUS_MORE;
}

static int webp_rows(int budget) {
  if (!lossy && !lossless_started) {
    int status = read_layout();
    if (status != STATUS_DONE) return status;
    if (!layout.complete && !input.ended) return STATUS_NEED_INPUT;
    if (layout.lossless) {
      lossless_started = 1;
      status = lossless_start(layout.image, layout.image_size, layout.frame_width, layout.frame_height, emit_argb_row);
      if (status == STATUS_NEED_INPUT) return lossless_ends_early();
    } else {
      status = lossy_begin();
    }
    if (status != STATUS_DONE) return status;
  }
  return layout.lossless ? lossless_some_rows(budget) : lossy_rows(budget);
}

const struct Decoder webp_decoder = {webp_open, webp_header, scale_full_size, webp_start, webp_rows};
