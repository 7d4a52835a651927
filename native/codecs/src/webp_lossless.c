/*
 * Lossless WebP (VP8L) without the frame.
 *
 * libwebp keeps every pixel, 4 bytes each, because back references may reach anywhere. In fact the farthest distance
 * that the format can express is 2^20 pixels, so a window of that many, plus what is decoded in one go, is enough:
 * 6.3 MB however large the image is, where libwebp takes 96 MB at 24 MP.
 *
 * How: this file includes libwebp's vp8l_dec.c to reach its static functions, and calls DecodeImageData for a stretch
 * of rows at a time. That function addresses pixels by their index in the image; it is given the address where pixel 0
 * would lie if all of the image stood before the window. Between stretches the window is moved on.
 * Bounds: a distance is checked against the pixel index by libwebp and against 2^20 by the format's code tables
 * (asserted below), so no reference leaves the window; a copy may run up to 4096 pixels past the stretch, for which
 * there is SLACK. What comes before the pixels is read in steps, as it may take as long as they do.
 * Memory: the window, 16 rows for the inverse transforms, transforms and Huffman tables (usually under 1 MB).
 */
#include "src/dec/vp8l_dec.c"

#include "codecs.h"
#include "webp_lossless.h"

enum {
  HISTORY = 1 << 20, /* 40 distance codes: the last is (3 << 18) + 18 bits + 1, less 120 for the short ones */
  STRETCH = 1 << 19, /* pixels decoded between moves; each moves HISTORY pixels, so this costs 2 copied a pixel */
  SLACK = 4096 + 16  /* 24 length codes: the last is (3 << 10) + 10 bits + 1 */
};
_Static_assert(NUM_DISTANCE_CODES == 40 && NUM_LENGTH_CODES == 24, "the window is sized by these code tables");

static VP8LDecoder *decoder;
static VP8Io io;
static uint32_t *window;
static uint64_t window_pixels; /* without SLACK */
static uint64_t window_base;   /* index of the pixel at the start of the window */
static uint32_t next_row;      /* the first that has not been handed out */
static void (*row_callback)(uint32_t y, const uint32_t *argb);

void lossless_reset(void) {
  decoder = NULL;
  window = NULL;
  next_row = 0;
}

/* Where pixel 0 would be. An address only to be counted from, never read. */
static uint32_t *virtual_pixels(void) { return (uint32_t *)((uintptr_t)window - (uintptr_t)(window_base * 4)); }

/* libwebp's ProcessRowsFunc: rows before `end` are decoded but not yet transformed. */
static void hand_out_rows(VP8LDecoder *const dec, int end) {
  while (dec->last_row < end) {
    int count = end - dec->last_row < NUM_ARGB_CACHE_ROWS ? end - dec->last_row : NUM_ARGB_CACHE_ROWS;
    ApplyInverseTransforms(dec, dec->last_row, count, virtual_pixels() + (size_t)dec->width * dec->last_row);
    for (int i = 0; i < count; i++) row_callback(next_row++, dec->argb_cache + (size_t)i * io.width);
    dec->last_row += count;
  }
}

static int failure(void) {
  info.detail = decoder->status;
  switch (decoder->status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return ERROR_MEMORY;
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return STATUS_NEED_INPUT;
    default:
      return decoder->br.eos ? STATUS_NEED_INPUT : ERROR_BROKEN;
  }
}

/* ---- What comes before the pixels: images of transforms and of groups of codes, and the codes ---- */

/* libwebp reads these in one go (VP8LDecodeHeader), and they may be as large as a sixteenth of the image, each, and
 * 65,536 groups of codes. Here is the same in steps, made of libwebp's own functions. */

/* An image within the header, of which libwebp's DecodeImageStream with is_level0 = 0 makes `*target`. */
static struct SubImage {
  uint32_t *pixels;
  uint32_t **target;
  int width, height, row; /* rows before `row` are decoded */
} sub_image;

static enum { TRANSFORMS, SUB_IMAGE, CODES_HEADER, GROUPS_IMAGE, GROUPS, PIXELS } state;
static int after_sub_image; /* the state that the header goes back to */
static int transformed_width, cache_bits;
static uint32_t *group_image; /* for each block of pixels, its group of codes */
static int *group_numbers; /* of the groups in the file, their places among those that are used, or -1; NULL: all are */
static int group_bits;     /* the side of such a block, as a power of two */
static int groups_in_file, groups_used, next_group;
static HTreeGroup *groups;

static int broken(void) { return VP8LSetError(decoder, VP8_STATUS_BITSTREAM_ERROR); }
static int out_of_memory(void) { return VP8LSetError(decoder, VP8_STATUS_OUT_OF_MEMORY); }

/* The size of the colour cache in bits, 0 for none, or -1. */
static int read_cache_bits(void) {
  if (!VP8LReadBits(&decoder->br, 1)) return 0;
  int bits = (int)VP8LReadBits(&decoder->br, 4);
  return bits >= 1 && bits <= MAX_CACHE_BITS ? bits : -1;
}

static int start_cache(int bits) {
  VP8LMetadata *const hdr = &decoder->hdr;
  hdr->color_cache_size = bits ? 1 << bits : 0;
  return !bits || VP8LColorCacheInit(&hdr->color_cache, bits) || out_of_memory();
}

/* 1; or 0, as of libwebp's functions, when the decoder's status says what is wrong. */
static int begin_sub_image(int width, int height, uint32_t **target, int after) {
  int bits = read_cache_bits();
  if (bits < 0 || !ReadHuffmanCodes(decoder, width, height, bits, 0)) return broken();
  if (!start_cache(bits)) return 0;
  UpdateDecoder(decoder, width, height);
  sub_image = (struct SubImage){WebPSafeMalloc((uint64_t)width * height, sizeof(uint32_t)), target, width, height, 0};
  if (!sub_image.pixels) return out_of_memory();
  decoder->last_pixel = decoder->last_row = 0;
  state = SUB_IMAGE;
  after_sub_image = after;
  return 1;
}

static int continue_sub_image(int64_t *budget) {
  struct SubImage *const image = &sub_image;
  int64_t rows = *budget / image->width + 1;
  image->row = rows < image->height - image->row ? image->row + (int)rows : image->height;
  *budget -= rows * image->width;
  /* A copy may have run past these rows. */
  int done = decoder->last_pixel >= image->row * image->width;
  if (!done && !DecodeImageData(decoder, image->pixels, image->width, image->height, image->row, NULL)) return 0;
  if (image->row < image->height) return 1;
  if (decoder->br.eos) return broken();
  *image->target = image->pixels;
  decoder->last_pixel = 0;
  ClearMetadata(&decoder->hdr);
  state = after_sub_image;
  return 1;
}

/* libwebp's ReadTransform. */
static int read_transform(void) {
  VP8LBitReader *const br = &decoder->br;
  VP8LTransform *const transform = &decoder->transforms[decoder->next_transform];
  VP8LImageTransformType type = (VP8LImageTransformType)VP8LReadBits(br, 2);
  if (decoder->transforms_seen & (1U << type)) return broken();
  decoder->transforms_seen |= 1U << type;
  decoder->next_transform++;
  transform->type = type;
  transform->xsize = transformed_width;
  transform->ysize = io.height;
  transform->data = NULL;
  switch (type) {
    case PREDICTOR_TRANSFORM:
    case CROSS_COLOR_TRANSFORM:
      transform->bits = MIN_TRANSFORM_BITS + (int)VP8LReadBits(br, NUM_TRANSFORM_BITS);
      return begin_sub_image(VP8LSubSampleSize(transform->xsize, transform->bits),
                             VP8LSubSampleSize(transform->ysize, transform->bits), &transform->data, TRANSFORMS);
    case COLOR_INDEXING_TRANSFORM: {
      int colors = (int)VP8LReadBits(br, 8) + 1;
      transform->bits = colors > 16 ? 0 : colors > 4 ? 1 : colors > 2 ? 2 : 3;
      transformed_width = VP8LSubSampleSize(transform->xsize, transform->bits);
      int64_t all = colors;
      return begin_sub_image(colors, 1, &transform->data, TRANSFORMS) && continue_sub_image(&all) &&
             (ExpandColorMap(colors, transform) || out_of_memory());
    }
    default: /* SUBTRACT_GREEN */
      return 1;
  }
}

/* Colour cache and the image of groups: the beginning of libwebp's ReadHuffmanCodes. */
static int read_codes_header(void) {
  VP8LBitReader *const br = &decoder->br;
  cache_bits = read_cache_bits();
  if (cache_bits < 0) return broken();
  groups_in_file = groups_used = 1;
  state = GROUPS;
  if (!VP8LReadBits(br, 1)) return 1;
  group_bits = MIN_HUFFMAN_BITS + (int)VP8LReadBits(br, NUM_HUFFMAN_BITS);
  return begin_sub_image(VP8LSubSampleSize(transformed_width, group_bits), VP8LSubSampleSize(io.height, group_bits),
                         &group_image, GROUPS_IMAGE);
}

/* Counts the groups, and numbers those that are used where there are many. */
static int number_groups(void) {
  enum { MANY = 1000 };
  int blocks = sub_image.width * sub_image.height;
  for (int i = 0; i < blocks; i++) {
    group_image[i] = group_image[i] >> 8 & 0xffff;
    if ((int)group_image[i] >= groups_in_file) groups_in_file = (int)group_image[i] + 1;
  }
  groups_used = groups_in_file;
  state = GROUPS;
  if (groups_in_file <= MANY && groups_in_file <= transformed_width * io.height) return 1;
  group_numbers = WebPSafeMalloc((uint64_t)groups_in_file, sizeof *group_numbers);
  if (!group_numbers) return out_of_memory();
  memset(group_numbers, 0xff, (size_t)groups_in_file * sizeof *group_numbers);
  groups_used = 0;
  for (int i = 0; i < blocks; i++) {
    int *number = &group_numbers[group_image[i]];
    if (*number < 0) *number = groups_used++;
    group_image[i] = (uint32_t)*number;
  }
  return 1;
}

/* The codes of one group after the other, by libwebp's ReadHuffmanCodesHelper, which is told that there is but one. */
static int read_groups(int64_t *budget) {
  enum { PIXELS_PER_GROUP = 1024 }; /* as long as that takes a group */
  if (decoder->br.eos) return broken();
  if (!groups && !(groups = VP8LHtreeGroupsNew(groups_used))) return out_of_memory();
  for (; next_group < groups_in_file; next_group++) {
    if (*budget <= 0) return 1;
    *budget -= PIXELS_PER_GROUP;
    int number = group_numbers ? group_numbers[next_group] : next_group, unused = -1;
    HuffmanTables tables; /* its memory is the group's, and forgotten with the image */
    HTreeGroup *group;
    memset(&tables, 0, sizeof tables);
    if (!ReadHuffmanCodesHelper(cache_bits, number < 0 ? 0 : 1, 1, number < 0 ? &unused : NULL, decoder, &tables,
                                &group)) {
      return broken();
    }
    if (number >= 0) groups[number] = *group;
    VP8LHtreeGroupsFree(group);
    if (number < 0) VP8LHuffmanTablesDeallocate(&tables);
  }
  if (!start_cache(cache_bits)) return 0;
  VP8LMetadata *const hdr = &decoder->hdr;
  hdr->huffman_subsample_bits = group_image ? group_bits : 0;
  hdr->huffman_image = group_image;
  hdr->num_htree_groups = groups_used;
  hdr->htree_groups = groups;
  UpdateDecoder(decoder, transformed_width, io.height);
  decoder->last_pixel = decoder->last_row = 0;
  state = PIXELS;
  return 1;
}

static int header_step(int64_t *budget) {
  switch (state) {
    case TRANSFORMS:
      if (VP8LReadBits(&decoder->br, 1)) return read_transform();
      state = CODES_HEADER;
      return 1;
    case SUB_IMAGE:
      return continue_sub_image(budget);
    case CODES_HEADER:
      return read_codes_header();
    case GROUPS_IMAGE:
      return number_groups();
    default:
      return read_groups(budget);
  }
}

int lossless_start(const uint8_t *data, uint32_t size, uint32_t width, uint32_t height,
                   void (*row)(uint32_t y, const uint32_t *argb)) {
  decoder = VP8LNew();
  if (!decoder) return ERROR_MEMORY;
  memset(&io, 0, sizeof io);
  io.data = data;
  io.data_size = size;
  row_callback = row;
  next_row = 0;
  window_base = 0;
  int has_alpha;
  decoder->io = &io;
  VP8LInitBitReader(&decoder->br, data, size);
  if (!ReadImageInfo(&decoder->br, &io.width, &io.height, &has_alpha)) {
    broken();
    return failure();
  }
  if (io.width != (int)width || io.height != (int)height) return ERROR_BROKEN;
  state = TRANSFORMS;
  transformed_width = io.width;
  group_image = NULL;
  group_numbers = NULL;
  groups = NULL;
  next_group = 0;
  return STATUS_DONE;
}

int lossless_header(int64_t budget) {
  while (state != PIXELS) {
    if (budget <= 0) return STATUS_MORE;
    if (!header_step(&budget)) {
      broken(); /* unless libwebp has said what is wrong */
      return failure();
    }
  }
  if (window) return STATUS_DONE;

  /* With a small palette several pixels are packed into one, and decoder->width is less than the image's. */
  uint64_t width = (uint64_t)io.width, pixels = (uint64_t)decoder->width * (uint64_t)io.height;
  window_pixels = pixels < HISTORY + STRETCH ? pixels : HISTORY + STRETCH;
  window = WebPSafeMalloc(window_pixels + SLACK, sizeof *window);
  /* One row before argb_cache is the row above for the predictors. */
  uint32_t *cache = WebPSafeMalloc(width * (NUM_ARGB_CACHE_ROWS + 1), sizeof *cache);
  if (!window || !cache) return ERROR_MEMORY;
  decoder->argb_cache = cache + width;
  decoder->state = READ_DATA;
  return STATUS_DONE;
}

/* Whether all pixels are the same and take no bits, so that an image of any size is but a few bytes. */
static int is_one_colour(void) {
  return decoder->hdr.num_htree_groups == 1 && decoder->hdr.htree_groups[0].is_trivial_code &&
         !VP8LIsEndOfStream(&decoder->br);
}

/* What DecodeImageData does of such an image, at a fraction of the time. */
static void fill_rows(uint32_t end) {
  uint32_t colour = decoder->hdr.htree_groups[0].literal_arb, *pixels = virtual_pixels();
  int last = (int)end * decoder->width;
  for (int i = decoder->last_pixel; i < last; i++) pixels[i] = colour;
  decoder->last_pixel = last;
  hand_out_rows(decoder, (int)end);
}

int lossless_rows(uint32_t end) {
  uint32_t height = (uint32_t)io.height, width = (uint32_t)decoder->width;
  if (end > height) end = height;
  while ((uint32_t)decoder->last_row < end) {
    /* Move the window on when the next row does not fit behind what is decoded. */
    uint64_t decoded = (uint64_t)decoder->last_pixel;
    uint64_t row_end = ((uint64_t)decoder->last_row + 1) * width;
    if (row_end > window_base + window_pixels) {
      uint64_t base = decoded > HISTORY ? decoded - HISTORY : 0;
      memmove(window, window + (base - window_base), (size_t)(decoded - base) * sizeof *window);
      window_base = base;
    }
    uint64_t fit = (window_base + window_pixels) / width;
    uint32_t stretch_end = fit < end ? (uint32_t)fit : end;
    if (is_one_colour()) {
      fill_rows(stretch_end);
    } else if (!DecodeImageData(decoder, virtual_pixels(), (int)width, (int)height, (int)stretch_end, hand_out_rows)) {
      return failure();
    }
  }
  return STATUS_DONE;
}
