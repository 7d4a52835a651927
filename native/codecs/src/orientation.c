/*
 * How a picture is turned, as its metadata tell it, with Pillow's precedence (Image.getexif): the tag 0x0112 of the first
 * directory of EXIF, a TIFF structure from JPEG APP1, PNG eXIf or a WebP EXIF chunk; where that tag is not there, the
 * first `tiff:Orientation` of an XMP packet, as an attribute or as an element.
 *
 * Bounds: every read is checked against the size, and each byte is looked at once; what is damaged is orientation 1.
 */
#include <string.h>

#include "codecs.h"

struct Tiff {
  const uint8_t *bytes;
  uint32_t size;
  int big_endian;
};

static int has_exif_tag; /* EXIF has spoken, so XMP is not asked */

void orientation_reset(void) { has_exif_tag = 0; }

static void set_orientation(uint32_t value) { info.orientation = value >= 1 && value <= 8 ? (int)value : 1; }

static uint32_t read16(const struct Tiff *tiff, uint32_t at) {
  if (tiff->size < 2 || at > tiff->size - 2) return 0;
  const uint8_t *p = tiff->bytes + at;
  return tiff->big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t read32(const struct Tiff *tiff, uint32_t at) {
  if (tiff->size < 4 || at > tiff->size - 4) return 0;
  return tiff->big_endian ? read16(tiff, at) << 16 | read16(tiff, at + 2)
                          : read16(tiff, at + 2) << 16 | read16(tiff, at);
}

void exif_orientation(const uint8_t *bytes, uint32_t size) {
  enum { ENTRY = 12, TAG_ORIENTATION = 0x0112 };
  if (size < 8) return;
  struct Tiff tiff = {bytes, size, bytes[0] == 'M'};
  if (!((bytes[0] == 'I' && bytes[1] == 'I') || (bytes[0] == 'M' && bytes[1] == 'M'))) return;
  if (read16(&tiff, 2) != 42) return;

  uint32_t directory = read32(&tiff, 4);
  if (directory > size - 2) return;
  uint32_t entries = read16(&tiff, directory);
  for (uint32_t i = 0; i < entries; i++) {
    uint32_t entry = directory + 2 + i * ENTRY;
    if (entry > size - 2 || size - entry < ENTRY) return;
    if (read16(&tiff, entry) != TAG_ORIENTATION) continue;
    /* The integer types, as Pillow takes them; a value of another type or number is none. */
    enum { SHORT = 3, LONG = 4, SBYTE = 6, SSHORT = 8, SLONG = 9, IFD = 13 };
    uint32_t type = read16(&tiff, entry + 2), count = read32(&tiff, entry + 4), value = 1;
    if ((type == SHORT || type == SSHORT) && (count == 1 || count == 2)) value = read16(&tiff, entry + 8);
    else if ((type == LONG || type == SLONG || type == IFD) && count == 1) value = read32(&tiff, entry + 8);
    else if (type == SBYTE && count == 1) value = bytes[entry + 8];
    has_exif_tag = 1;
    set_orientation(value);
    return;
  }
}

void xmp_orientation(const uint8_t *text, uint32_t size) {
  static const char name[] = "tiff:Orientation";
  enum { NAME = sizeof name - 1, MOST_AFTER = 3 }; /* ="6 or >6 */
  if (has_exif_tag || size < NAME + MOST_AFTER) return;
  const uint8_t *end = text + size - NAME - MOST_AFTER;
  for (const uint8_t *p = text; p <= end; p++) {
    if (*p != 't' || memcmp(p, name, NAME)) continue;
    const uint8_t *after = p + NAME;
    const uint8_t *digit = after[0] == '>' ? after + 1 : after[0] == '=' && after[1] == '"' ? after + 2 : NULL;
    if (!digit || *digit < '0' || *digit > '9') continue;
    set_orientation(*digit - '0');
    return;
  }
}
