/* The intrinsics of wasm's SIMD on other CPUs, by SIMDe. */
#ifndef SANITIZED_WASM_SIMD128_H
#define SANITIZED_WASM_SIMD128_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>

/* SIMDe 0.8.2 ends these with a semicolon. */
#undef wasm_i8x16_const_splat
#undef wasm_i16x8_const_splat
#undef wasm_i32x4_const_splat
#define wasm_i8x16_const_splat wasm_i8x16_splat
#define wasm_i16x8_const_splat wasm_i16x8_splat
#define wasm_i32x4_const_splat wasm_i32x4_splat

#endif
