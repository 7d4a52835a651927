/*
 * SIMD for engines as they are: they keep the order of the operations that they are given, have 15 vector registers, and
 * where they have no trap handler (workerd) check the bounds of each load in code. So the fewest loads win, and of those
 * that follow one another all are cheapest from one pointer that walks on, behind which OPAQUE hides how.
 */
#ifndef SIMD_H
#define SIMD_H

#include <wasm_simd128.h>

#define INLINE static inline __attribute__((always_inline))

/* Small arrays live in registers only where the loops over them are unrolled. */
#define UNROLLED _Pragma("clang loop unroll(full)")

/* The compiler knows nothing of the value from here on, and computes it before. Without it LLVM loads what all steps of
 * an unrolled loop need at its beginning, and writes vector constants anew wherever they are used, for which engines
 * take four instructions. */
#ifndef OPAQUE /* sanitize.py has no use for it */
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))
#endif

#endif
