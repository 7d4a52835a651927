/*
 * The SSE2 intrinsics that libwebp's decoder uses, on top of wasm_simd128.h, so that its own and well tested SSE2 code
 * can be compiled for wasm instead of written anew. Only what is used is here, and each keeps SSE2's exact meaning.
 */
#ifndef WEBP_EMMINTRIN_H
#define WEBP_EMMINTRIN_H

#include <wasm_simd128.h>

typedef v128_t __m128i;

#define WEBP_SIMD static inline __attribute__((always_inline, unused))

/* Loads and stores */
WEBP_SIMD __m128i _mm_loadu_si128(const void *p) { return wasm_v128_load(p); }
WEBP_SIMD __m128i _mm_load_si128(const void *p) { return wasm_v128_load(p); }
WEBP_SIMD __m128i _mm_loadl_epi64(const void *p) { return wasm_v128_load64_zero(p); }
WEBP_SIMD void _mm_storeu_si128(void *p, __m128i a) { wasm_v128_store(p, a); }
WEBP_SIMD void _mm_store_si128(void *p, __m128i a) { wasm_v128_store(p, a); }
WEBP_SIMD void _mm_storel_epi64(void *p, __m128i a) { wasm_v128_store64_lane(p, a, 0); }
WEBP_SIMD __m128i _mm_cvtsi32_si128(int a) { return wasm_i32x4_make(a, 0, 0, 0); }
WEBP_SIMD int _mm_cvtsi128_si32(__m128i a) { return wasm_i32x4_extract_lane(a, 0); }
WEBP_SIMD __m128i _mm_setzero_si128(void) { return wasm_i32x4_const_splat(0); }
WEBP_SIMD __m128i _mm_set1_epi8(char a) { return wasm_i8x16_splat(a); }
WEBP_SIMD __m128i _mm_set1_epi16(short a) { return wasm_i16x8_splat(a); }
WEBP_SIMD __m128i _mm_set1_epi32(int a) { return wasm_i32x4_splat(a); }
WEBP_SIMD __m128i _mm_set_epi32(int d, int c, int b, int a) { return wasm_i32x4_make(a, b, c, d); }
WEBP_SIMD __m128i _mm_set_epi16(short h, short g, short f, short e, short d, short c, short b, short a) {
  return wasm_i16x8_make(a, b, c, d, e, f, g, h);
}
#define _mm_insert_epi16(a, value, lane) wasm_i16x8_replace_lane(a, lane, (short)(value))

/* Lane by lane */
WEBP_SIMD __m128i _mm_add_epi8(__m128i a, __m128i b) { return wasm_i8x16_add(a, b); }
WEBP_SIMD __m128i _mm_sub_epi8(__m128i a, __m128i b) { return wasm_i8x16_sub(a, b); }
WEBP_SIMD __m128i _mm_adds_epi8(__m128i a, __m128i b) { return wasm_i8x16_add_sat(a, b); }
WEBP_SIMD __m128i _mm_subs_epi8(__m128i a, __m128i b) { return wasm_i8x16_sub_sat(a, b); }
WEBP_SIMD __m128i _mm_adds_epu8(__m128i a, __m128i b) { return wasm_u8x16_add_sat(a, b); }
WEBP_SIMD __m128i _mm_subs_epu8(__m128i a, __m128i b) { return wasm_u8x16_sub_sat(a, b); }
WEBP_SIMD __m128i _mm_avg_epu8(__m128i a, __m128i b) { return wasm_u8x16_avgr(a, b); }
WEBP_SIMD __m128i _mm_max_epu8(__m128i a, __m128i b) { return wasm_u8x16_max(a, b); }
WEBP_SIMD __m128i _mm_cmpeq_epi8(__m128i a, __m128i b) { return wasm_i8x16_eq(a, b); }
WEBP_SIMD __m128i _mm_add_epi16(__m128i a, __m128i b) { return wasm_i16x8_add(a, b); }
WEBP_SIMD __m128i _mm_sub_epi16(__m128i a, __m128i b) { return wasm_i16x8_sub(a, b); }
WEBP_SIMD __m128i _mm_adds_epi16(__m128i a, __m128i b) { return wasm_i16x8_add_sat(a, b); }
WEBP_SIMD __m128i _mm_subs_epi16(__m128i a, __m128i b) { return wasm_i16x8_sub_sat(a, b); }
WEBP_SIMD __m128i _mm_adds_epu16(__m128i a, __m128i b) { return wasm_u16x8_add_sat(a, b); }
WEBP_SIMD __m128i _mm_subs_epu16(__m128i a, __m128i b) { return wasm_u16x8_sub_sat(a, b); }
WEBP_SIMD __m128i _mm_cmpgt_epi16(__m128i a, __m128i b) { return wasm_i16x8_gt(a, b); }
WEBP_SIMD __m128i _mm_add_epi32(__m128i a, __m128i b) { return wasm_i32x4_add(a, b); }
WEBP_SIMD __m128i _mm_cmpgt_epi32(__m128i a, __m128i b) { return wasm_i32x4_gt(a, b); }
WEBP_SIMD __m128i _mm_madd_epi16(__m128i a, __m128i b) { return wasm_i32x4_dot_i16x8(a, b); }
WEBP_SIMD __m128i _mm_and_si128(__m128i a, __m128i b) { return wasm_v128_and(a, b); }
WEBP_SIMD __m128i _mm_or_si128(__m128i a, __m128i b) { return wasm_v128_or(a, b); }
WEBP_SIMD __m128i _mm_xor_si128(__m128i a, __m128i b) { return wasm_v128_xor(a, b); }
WEBP_SIMD __m128i _mm_packus_epi16(__m128i a, __m128i b) { return wasm_u8x16_narrow_i16x8(a, b); }
WEBP_SIMD __m128i _mm_packs_epi16(__m128i a, __m128i b) { return wasm_i8x16_narrow_i16x8(a, b); }
WEBP_SIMD __m128i _mm_packs_epi32(__m128i a, __m128i b) { return wasm_i16x8_narrow_i32x4(a, b); }
WEBP_SIMD __m128i _mm_andnot_si128(__m128i a, __m128i b) { return wasm_v128_andnot(b, a); }
WEBP_SIMD __m128i _mm_slli_epi16(__m128i a, int bits) { return wasm_i16x8_shl(a, (uint32_t)bits); }
WEBP_SIMD __m128i _mm_srli_epi16(__m128i a, int bits) { return wasm_u16x8_shr(a, (uint32_t)bits); }
WEBP_SIMD __m128i _mm_srai_epi16(__m128i a, int bits) { return wasm_i16x8_shr(a, (uint32_t)bits); }
WEBP_SIMD __m128i _mm_srli_epi32(__m128i a, int bits) { return wasm_u32x4_shr(a, (uint32_t)bits); }
WEBP_SIMD __m128i _mm_srai_epi32(__m128i a, int bits) { return wasm_i32x4_shr(a, (uint32_t)bits); }
WEBP_SIMD __m128i _mm_srli_epi64(__m128i a, int bits) { return wasm_u64x2_shr(a, (uint32_t)bits); }

/* The high halves of 16-bit products: wasm has 32-bit products only, of which every second 16-bit lane is taken. */
WEBP_SIMD __m128i webp_high_halves(__m128i low, __m128i high) {
  return wasm_i16x8_shuffle(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}
WEBP_SIMD __m128i _mm_mulhi_epi16(__m128i a, __m128i b) {
  return webp_high_halves(wasm_i32x4_extmul_low_i16x8(a, b), wasm_i32x4_extmul_high_i16x8(a, b));
}
WEBP_SIMD __m128i _mm_mulhi_epu16(__m128i a, __m128i b) {
  return webp_high_halves(wasm_u32x4_extmul_low_u16x8(a, b), wasm_u32x4_extmul_high_u16x8(a, b));
}

/* Sums of absolute differences of each half's bytes, as 64-bit lanes */
WEBP_SIMD __m128i _mm_sad_epu8(__m128i a, __m128i b) {
  v128_t difference = wasm_v128_or(wasm_u8x16_sub_sat(a, b), wasm_u8x16_sub_sat(b, a));
  v128_t sums = wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(difference));
  v128_t both = wasm_i32x4_add(sums, wasm_u64x2_shr(sums, 32));
  return wasm_v128_and(both, wasm_i32x4_const(-1, 0, -1, 0));
}

/* Rearrangements */
WEBP_SIMD __m128i _mm_unpacklo_epi8(__m128i a, __m128i b) {
  return wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
WEBP_SIMD __m128i _mm_unpackhi_epi8(__m128i a, __m128i b) {
  return wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
WEBP_SIMD __m128i _mm_unpacklo_epi16(__m128i a, __m128i b) {
  return wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
WEBP_SIMD __m128i _mm_unpackhi_epi16(__m128i a, __m128i b) {
  return wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
WEBP_SIMD __m128i _mm_unpacklo_epi32(__m128i a, __m128i b) {
  return wasm_i32x4_shuffle(a, b, 0, 4, 1, 5);
}
WEBP_SIMD __m128i _mm_unpackhi_epi32(__m128i a, __m128i b) {
  return wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
}
WEBP_SIMD __m128i _mm_unpacklo_epi64(__m128i a, __m128i b) { return wasm_i64x2_shuffle(a, b, 0, 2); }
WEBP_SIMD __m128i _mm_unpackhi_epi64(__m128i a, __m128i b) { return wasm_i64x2_shuffle(a, b, 1, 3); }
#define _mm_shuffle_epi32(a, i) wasm_i32x4_shuffle(a, a, (i) & 3, (i) >> 2 & 3, (i) >> 4 & 3, (i) >> 6 & 3)
#define _mm_shufflelo_epi16(a, i) \
  wasm_i16x8_shuffle(a, a, (i) & 3, (i) >> 2 & 3, (i) >> 4 & 3, (i) >> 6 & 3, 4, 5, 6, 7)
#define _mm_shufflehi_epi16(a, i) \
  wasm_i16x8_shuffle(a, a, 0, 1, 2, 3, 4 + ((i) & 3), 4 + ((i) >> 2 & 3), 4 + ((i) >> 4 & 3), 4 + ((i) >> 6 & 3))
#define _MM_SHUFFLE(d, c, b, a) ((d) << 6 | (c) << 4 | (b) << 2 | (a))
/* Shifts by whole bytes: the n-th of the 32 bytes of a and zero, or of zero and a. */
#define _mm_srli_si128(a, n) \
  wasm_i8x16_shuffle(a, _mm_setzero_si128(), n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9, n + 10, \
                     n + 11, n + 12, n + 13, n + 14, n + 15)
#define _mm_slli_si128(a, n) \
  wasm_i8x16_shuffle(_mm_setzero_si128(), a, 16 - n, 17 - n, 18 - n, 19 - n, 20 - n, 21 - n, 22 - n, 23 - n, 24 - n, \
                     25 - n, 26 - n, 27 - n, 28 - n, 29 - n, 30 - n, 31 - n)

#endif
