/* Configuration of libjpeg-turbo for wasm32: decoding only, 8-bit samples, arithmetic coding on. */
#define JPEG_LIB_VERSION 62
#define LIBJPEG_TURBO_VERSION 3.1.0
#define LIBJPEG_TURBO_VERSION_NUMBER 3001000
#define D_ARITH_CODING_SUPPORTED 1
#define WITH_SIMD 1 /* src/jpeg_simd.c */
#ifndef BITS_IN_JSAMPLE
#define BITS_IN_JSAMPLE 8
#endif
