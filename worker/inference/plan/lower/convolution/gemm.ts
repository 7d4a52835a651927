/** The kernels that compute convolutions and fully connected layers as matrix products, and the choice among them. */
import { type ConvKernel, DOT_SPARE_BYTES, PAIRS_TILE_ROWS, TILE_ROWS } from "../../layouts.ts";
import { DEEPEST_I16, type FloatMatrix, packF32Gemm, packQd16Gemm } from "../../pack/f32.ts";
import {
  type ByteMatrix,
  hasLowestPair,
  packQu8GemmDot16x2,
  packQu8GemmUsdot,
  packQu8GemmUsdot2,
} from "../../pack/uint8.ts";
import { at, type KernelStep, type Packed, packedAt } from "../../step.ts";
import { type Builder, type ByteDot, scratchLayout, type UseOfStrassen } from "../builder.ts";
import type { Value } from "../value.ts";
import { type Convolution, type Geometry, gathers, windowOf } from "./geometry.ts";
import { flipOf, outputOf } from "./output.ts";
import { fitsStrassen, LARGEST_WEIGHT, paysStrassen, strassenBlock, strassenBytes } from "./strassen.ts";

/** M × K times K × N: `rows` (M) output pixels, `reduction` (K) values of a patch, `outChannels` (N). */
interface Product {
  readonly rows: number;
  readonly reduction: number;
  readonly outChannels: number;
  /** Whether the left matrix has to be gathered from the input. */
  readonly gather: boolean;
  /** The number of values of the input. */
  readonly inputSize: number;
  /** Whether sums of 16-bit products are kept apart. */
  readonly apart: boolean;
}

export interface FloatProduct extends Product {
  /** Whether it may be computed in int16. */
  readonly fast: boolean;
  readonly strassen: UseOfStrassen;
  /** Whether the input is int16 already. */
  readonly int16Input: boolean;
  readonly weights: FloatMatrix;
}

export interface ByteProduct extends Product {
  /** What the relaxed dot product of four bytes takes on this CPU; false if it is not exact. */
  readonly dot: ByteDot | false;
  /** How many overflow weights each panel of qu8_gemm_3x8c4_usdot2.c has; undefined if that kernel is inexact or too slow. */
  readonly overflow: () => readonly number[] | undefined;
  /** The input's zero point. */
  readonly inputZero: number;
  readonly weights: ByteMatrix;
}

/** Bytes of scratch, by the parameter that points to them. */
interface Scratch {
  readonly patches?: number;
  readonly wide?: number;
  readonly whole?: number;
  readonly operands?: number;
}

interface GemmKernel<P extends Product> {
  readonly kernel: ConvKernel;
  /** Whether it computes this product exactly as it is asked for, and is worth it. */
  accepts(product: P): boolean;
  /** Rows of M that one pass of the inner loop computes; a block of rows is a multiple. */
  readonly tile: number;
  /** Rows of M that are computed while they stay in the cache, if not those of BLOCK_VALUES. */
  block?(product: P): number;
  /** @param block In rows. */
  scratch(product: P, block: number): Scratch;
  pack(product: P): Packed;
}

/** Values of the left matrix that stay in the cache while the weights pass by. */
const BLOCK_VALUES = 64 << 10;

const blockOf = ({ rows, reduction }: Product, tile: number): number =>
  Math.min(rows, Math.max(1, Math.floor(BLOCK_VALUES / reduction / tile)) * tile);

/** Bytes of a block whose rows are int16, filled up to pairs. */
const int16Bytes = ({ reduction }: Product, block: number): number => block * 4 * Math.ceil(reduction / 2);

/** The scratch of kernels that quantise floats to int16: a scale for each row, and the rows. */
const quantisedRows = (product: FloatProduct, block: number): number =>
  4 * block + (product.int16Input || product.gather ? 0 : int16Bytes(product, block));

/** Scratch `wide` of qu8_gemm_4x12c4_usdot.c: struct DotSpare, an offset for each row, and the rows, by fours. */
const interleavedBytes = (rows: number, reduction: number): number =>
  DOT_SPARE_BYTES + 4 * Math.ceil(rows / 4) * (4 + 4 * Math.ceil(reduction / 4));

const fitsInt16 = ({ fast, reduction }: FloatProduct): boolean => fast && reduction <= DEEPEST_I16;

const STRASSEN_FITS = { always: fitsStrassen, pays: paysStrassen, never: () => false };

/** The kernels for f32. The first that accepts a product computes it; the last one accepts all. */
export const F32_KERNELS: readonly GemmKernel<FloatProduct>[] = [
  {
    kernel: "qd16_f32_gemm_4x8c2_strassen",
    accepts: (product) => fitsInt16(product) && !product.gather && STRASSEN_FITS[product.strassen](product),
    tile: TILE_ROWS,
    block: strassenBlock,
    scratch: (product, block) => ({
      wide: quantisedRows(product, block),
      operands: strassenBytes(product, block),
    }),
    pack: ({ weights }) => packQd16Gemm(weights, LARGEST_WEIGHT),
  },
  {
    kernel: "qd16_f32_gemm_4x8c2_dot16x2",
    accepts: fitsInt16,
    tile: TILE_ROWS,
    scratch: (product, block) => ({
      patches: product.gather ? int16Bytes(product, block) : 0,
      wide: quantisedRows(product, block),
      whole: product.gather && !product.int16Input ? 2 * product.inputSize : 0,
    }),
    pack: ({ weights }) => packQd16Gemm(weights),
  },
  {
    kernel: "f32_gemm_4x8_fma",
    accepts: () => true,
    tile: TILE_ROWS,
    scratch: ({ gather, reduction }, block) => ({ patches: gather ? 4 * block * reduction : 0, wide: 4 * block }),
    pack: ({ weights }) => packF32Gemm(weights),
  },
];

/**
 * The kernels for uint8, and for int8, which is stored as uint8. All give the same bytes: the first that accepts is the
 * fastest.
 */
export const U8_KERNELS: readonly GemmKernel<ByteProduct>[] = [
  {
    kernel: "qu8_gemm_4x12c4_usdot",
    accepts: ({ dot, weights }) => dot === "unsigned" || (dot === "signed" && !hasLowestPair(weights)),
    tile: TILE_ROWS,
    scratch: ({ gather, reduction }, block) => ({
      patches: gather ? block * reduction : 0,
      wide: interleavedBytes(block, reduction),
    }),
    pack: ({ weights, inputZero, dot }) => packQu8GemmUsdot(weights, inputZero - flipOf(dot)),
  },
  {
    kernel: "qu8_gemm_3x8c4_usdot2",
    accepts: ({ overflow }) => overflow() !== undefined,
    tile: PAIRS_TILE_ROWS,
    scratch: ({ gather, reduction }, block) => ({ patches: gather ? block * reduction : 0, wide: 4 * block }),
    pack: ({ weights, overflow, inputZero }) => packQu8GemmUsdot2(weights, overflow() ?? [], inputZero),
  },
  {
    kernel: "qu8_gemm_4x8c2_dot16x2",
    accepts: () => true,
    tile: TILE_ROWS,
    scratch: (product, block) => ({
      patches: product.gather ? 2 * block * Math.ceil(product.reduction / 2) : 0,
      wide: 4 * block + int16Bytes(product, block),
    }),
    pack: ({ weights }) => packQu8GemmDot16x2(weights),
  },
];

/** The step that computes a product by the first kernel of a table that accepts it. */
export function gemmStep<P extends FloatProduct | ByteProduct>(
  table: readonly GemmKernel<P>[],
  product: P,
  { operator, input, output, geometry }: { operator: Convolution; input: Value; output: Value; geometry: Geometry },
): KernelStep {
  const chosen = table.find(({ accepts }) => accepts(product));
  if (chosen === undefined) throw new Error("no kernel accepts a product");
  const { rows, reduction, outChannels, weights } = product;
  const block = chosen.block?.(product) ?? blockOf(product, chosen.tile);
  const { patches = 0, wide = 0, whole = 0, operands = 0 } = chosen.scratch(product, block);
  const scratch = scratchLayout([patches, wide, whole, operands]);
  const [patchesAt, wideAt, wholeAt, operandsAt] = scratch.places;
  const [inHeight, inWidth] = geometry.input;
  return {
    kernel: chosen.kernel,
    packed: chosen.pack(product),
    scratch: scratch.bytes,
    parameters: {
      input: at(input.tensor.index),
      weights: packedAt(0),
      output: at(output.tensor.index),
      patches: patchesAt,
      wide: wideAt,
      rows,
      reduction,
      outChannels,
      block,
      gather: product.gather ? 1 : 0,
      inHeight,
      inWidth,
      inChannels: operator.form === "matrix" ? reduction : (input.tensor.shape.at(-1) ?? 0),
      outWidth: geometry.output[1],
      ...windowOf(geometry),
      inputZero: "inputZero" in product ? product.inputZero : 0,
      weightsZero: "zero" in weights ? weights.zero - 128 : 0,
      ...outputOf(operator, input, output, "rounding" in weights ? weights.rounding : "away"),
      whole: wholeAt,
      operands: operandsAt,
      apart: product.apart ? 1 : 0,
      flip: "dot" in product ? flipOf(product.dot) : 0,
    },
  };
}

/** The product that a convolution is. */
export const productOf = (
  { apart }: Builder,
  input: Value,
  output: Value,
  geometry: Geometry,
  outChannels: number,
  reduction: number,
): Product => ({
  rows: output.size / outChannels,
  reduction,
  outChannels,
  gather: gathers(geometry),
  inputSize: input.size,
  apart,
});
