// Made from native/layouts/kernels.json by `npm run layouts`: do not edit.
/** What kernels.wasm and the compiled plan share: parameters of the kernels, heads of packed weights, and constants. */

import { float32, float64, int8, int32 } from "./fields.ts";
import { type Address, f32, type Word } from "./word.ts";

/** output channels of a panel of packed weights */
export const PANEL_CHANNELS = 8;

/** rows of a matrix product that are computed at a time */
export const TILE_ROWS = 4;

/** the same, in qu8_gemm_3x8c4_usdot2.c */
export const PAIRS_TILE_ROWS = 3;

/** qd16_f32_gemm_4x8c2_dot16x2.c quantises f32 activations to -I16_STEPS..I16_STEPS */
export const I16_STEPS = 4095;

/** block products of qd16_f32_gemm_4x8c2_strassen.c, which replace 64 */
export const STRASSEN_PRODUCTS = 49;

/** rows of a unit: four tiles, one for each row of blocks */
export const STRASSEN_UNIT = 16;

/** bytes of the sums of a tile */
export const STRASSEN_SUMS = 128;

/** bytes behind each operand; without them, most would start on the same cache lines */
export const STRASSEN_GAP = 64;

/** planes that a depthwise convolution computes at a time */
export const PLANES = 4;

/** bytes behind each plane; without them, planes of some sizes would share cache lines */
export const PLANE_GAP = 64;

/** bytes of a column of a plane: one vector of channels */
export const COLUMN_BYTES = 16;

/** taps of a filter's row that one product of qu8_dwconv_2x4x4c4_usdot.c sums */
export const DOT_TAPS = 4;

/** added to exact results, so that truncation is floor */
export const REQUANTIZE_BIAS = 1024;

/** added to results in f32, so that their last bit is 1/32768 */
export const REQUANTIZE_BASE = 256;

/** bits below the point while qu8_vbinary adds, as in TensorFlow Lite */
export const SUM_SHIFT = 20;

/** largest error of a sum that qu8_vbinary computes in f32, in 1/32768 */
export const SUM_ERROR = 6;

/** nested loops of a copy */
export const COPY_LEVELS = 4;

/** nested loops of a move */
export const MOVE_LEVELS = 3;

/** scratch of qu8_packw_x8c4_usdot2: `rest` */
export const PAIRS_REST_BYTES = 128;

/** scratch of qu8_packw_x8c4_usdot2: `sums` */
export const PAIRS_SUMS_BYTES = 32;

/** How a window is reduced to one value. */
export const PoolOperation = {
  average: 0,
  maximum: 1,
  /** f32 only */
  sum: 2,
} as const;
export type PoolOperation = (typeof PoolOperation)[keyof typeof PoolOperation];

/** The function of two operands; for uint8 and int8 only the first four. */
export const ElementwiseOperation = {
  add: 0,
  /** a - b */
  subtract: 1,
  multiply: 2,
  /** b - a */
  subtractFrom: 3,
  /** a / b */
  divide: 4,
  /** b / a */
  divideInto: 5,
  maximum: 6,
  minimum: 7,
  squaredDifference: 8,
  /** b: slopes */
  prelu: 9,
} as const;
export type ElementwiseOperation = (typeof ElementwiseOperation)[keyof typeof ElementwiseOperation];

/** The function of one f32 value. */
export const UnaryOperation = {
  logistic: 0,
  tanh: 1,
  elu: 2,
  gelu: 3,
  /** by tanh */
  geluApproximate: 4,
  /** parameter: the slope below zero */
  leakyRelu: 5,
  exp: 6,
  abs: 7,
  neg: 8,
  sqrt: 9,
  rsqrt: 10,
  /** minus infinity for zero, NaN for negative numbers */
  log: 11,
  /** x times its logistic function */
  swish: 12,
} as const;
export type UnaryOperation = (typeof UnaryOperation)[keyof typeof UnaryOperation];

/** Zero point and clamp of a quantised output, as stored: int8 has 128 added. */
export interface Range {
  /** the output's zero point */
  readonly zero: number;
  /** the smallest byte */
  readonly low: number;
  /** the largest byte */
  readonly high: number;
}

/** Convolutions and fully connected layers, as matrix products: gemm.h. */
export interface Conv {
  /** [in_height, in_width, in_channels] */
  readonly input: Address;
  /** panels; see the kernel */
  readonly weights: Address;
  /** [rows, out_channels] */
  readonly output: Address;
  /** scratch, [block, reduction] elements, if `gather` */
  readonly patches: Address;
  /** scratch of the 16-bit kernels and of qu8_gemm_4x12c4_usdot.c; see there */
  readonly wide: Address;
  /** output pixels */
  readonly rows: number;
  /** K: kernel height * kernel width * input channels */
  readonly reduction: number;
  readonly outChannels: number;
  /** rows at a time */
  readonly block: number;
  /** 0: the input is the matrix as it stands; 1: its patches are gathered first */
  readonly gather: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  /** padding */
  readonly top: number;
  /** padding */
  readonly left: number;
  /** quantised: the input's zero point */
  readonly inputZero: number;
  /** quantised: the weights' zero point less what their packing subtracts */
  readonly weightsZero: number;
  /** quantised */
  readonly range: Range;
  /** quantised: 1 if N of requantize.h affects results that are not clamped */
  readonly signs: number;
  /** f32: clamp of the output */
  readonly low: number;
  readonly high: number;
  /** qd16_f32_gemm_4x8c2_dot16x2.c: 1 if the input is int16 instead of f32 */
  readonly int16Input: number;
  /** the same for the output */
  readonly int16Output: number;
  /** scratch of qd16_f32_gemm_4x8c2_dot16x2.c: a gathered f32 input, as int16 */
  readonly whole: Address;
  /** scratch of qd16_f32_gemm_4x8c2_strassen.c; see there */
  readonly operands: Address;
  /** dot16x2 kernels: 1 if even and odd values along K have sums of their own; tile_4x8c2_dot16x2.h */
  readonly apart: number;
  /** qu8_gemm_4x12c4_usdot.c: 128 where the CPU's dot product takes activations as signed, else 0 */
  readonly flip: number;
}

/** Depthwise convolutions: dwconv.h. */
export interface Depthwise {
  /** [in_height, in_width, in_channels] */
  readonly input: Address;
  /** by vector of channels; see the kernel */
  readonly weights: Address;
  /** [out_height, out_width, channels] */
  readonly output: Address;
  /** scratch, [PLANES][block_rows * padded_width * 16 + PLANE_GAP] bytes; or see the kernel */
  readonly planes: Address;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly channels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  /** padding */
  readonly top: number;
  /** padding */
  readonly left: number;
  /** filters for each input channel: channels / in_channels */
  readonly multiplier: number;
  /** output rows at a time; not in qu8_dwconv_2x4x4c4_usdot.c */
  readonly block: number;
  /** (out_width - 1) * stride + (kernel - 1) * dilation + 1; not in qu8_dwconv_2x4x4c4_usdot.c */
  readonly paddedWidth: number;
  readonly inputZero: number;
  /** quantised */
  readonly range: Range;
  /** quantised: 1 if N of requantize.h affects results that are not clamped */
  readonly signs: number;
  /** f32: clamp of the output */
  readonly low: number;
  readonly high: number;
  /** f32_dwconv_7x4_fma.c: 1 if the input is int16 instead of f32 */
  readonly int16Input: number;
  /** the same for the output */
  readonly int16Output: number;
  /** qu8_dwconv_2x4x4c4_usdot.c: as in struct Conv */
  readonly flip: number;
}

/** Two tensors of `size` values, of which the second may be shorter: vbinary.c. */
export interface Elementwise {
  readonly a: Address;
  readonly b: Address;
  readonly output: Address;
  readonly size: number;
  /** the number of values after which b repeats */
  readonly period: number;
  /** the number of consecutive values of a that each value of b is combined with */
  readonly run: number;
  readonly operation: ElementwiseOperation;
  /** quantised: zero points */
  readonly aZero: number;
  readonly bZero: number;
  /** quantised: the results of TensorFlow Lite's QuantizeMultiplier */
  readonly aMultiplier: number;
  /** to the right */
  readonly aShift: number;
  readonly bMultiplier: number;
  readonly bShift: number;
  /** a product has only this one */
  readonly outMultiplier: number;
  readonly outShift: number;
  /** quantised: 1 if results may be computed in f32 first, by the next three */
  readonly inF32: number;
  /** the multiplier, for products */
  readonly aFactor: number;
  /** N of requantize.h, for products */
  readonly bFactor: number;
  readonly offset: number;
  /** quantised */
  readonly range: Range;
  /** f32: clamp of the output */
  readonly low: number;
  readonly high: number;
}

/** A function of two bytes as a table of all its results: lut2.c. */
export interface Table {
  readonly a: Address;
  readonly b: Address;
  readonly output: Address;
  readonly size: number;
  /** as in struct Elementwise */
  readonly period: number;
  readonly run: number;
  /** [b][a] */
  readonly table: Address;
}

/** A function of one f32 value: vunary.c. */
export interface Unary {
  readonly input: Address;
  readonly output: Address;
  readonly size: number;
  readonly operation: UnaryOperation;
  readonly parameter: number;
}

/** Averages, maxima and sums over windows: pool.c. */
export interface Pool {
  /** [in_height, in_width, channels] */
  readonly input: Address;
  /** [out_height, out_width, channels] */
  readonly output: Address;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** of the window */
  readonly height: number;
  readonly width: number;
  readonly strideY: number;
  readonly strideX: number;
  /** padding */
  readonly top: number;
  /** padding */
  readonly left: number;
  readonly operation: PoolOperation;
  /** averages of uint8 and int8: subtracted from the sum, for each value */
  readonly subtract: number;
  /** then, unless it is 0, the sum is multiplied by multiplier * 2^-31 */
  readonly multiplier: number;
  /** and shifted to the right */
  readonly shift: number;
  /** then, if it is 1, the sum is divided by the number of values, halves away from zero */
  readonly divide: number;
  /** added to the result */
  readonly add: number;
  /** the number of channels, a multiple of eight, in which halves of products are rounded up */
  readonly up: number;
  /** quantised */
  readonly range: Range;
  /** f32: clamp of the output */
  readonly low: number;
  readonly high: number;
}

/** Converts one number type to another, value by value: vcvt.c. */
export interface Convert {
  readonly input: Address;
  readonly output: Address;
  readonly size: number;
  /** x8_lut: 256 bytes */
  readonly table: Address;
  /** quantised = value * scale + zero; dequantised = (value - zero) * scale */
  readonly scale: number;
  readonly zero: number;
  /** clamp of the output */
  readonly low: number;
  readonly high: number;
}

/** Converts pixels to the network's input: vcvt.c. */
export interface Pixels {
  /** [size][3] */
  readonly pixels: Address;
  /** [size][3] f32 or uint8 */
  readonly output: Address;
  readonly size: number;
  /** [3][256], of the output's type: the value of each byte in each channel */
  readonly levels: Address;
}

/** Moves runs of bytes from one tensor to another: move.c. */
export interface Move {
  readonly input: Address;
  readonly output: Address;
  /** 256 bytes that map each byte while it is moved; or 0 */
  readonly table: Address;
  /** offset of the first run in the output */
  readonly start: number;
  /** bytes of a run */
  readonly run: number;
  /** the number of runs in each level, outermost first */
  readonly count: readonly [number, number, number];
  /** bytes from one run to the next */
  readonly inStep: readonly [number, number, number];
  readonly outStep: readonly [number, number, number];
  /** the number of bytes of the output that are filled first */
  readonly fillBytes: number;
  /** the four bytes that are repeated there */
  readonly fill: number;
}

/** Copies values from one grid of places to another: copy.c. */
export interface Copy {
  readonly input: Address;
  readonly output: Address;
  /** the place of the first value in the input */
  readonly from: number;
  /** the same in the output */
  readonly to: number;
  /** the number of values in each level, outermost first */
  readonly count: readonly [number, number, number, number];
  /** the distance between two values, in values */
  readonly inStep: readonly [number, number, number, number];
  readonly outStep: readonly [number, number, number, number];
}

/** The size of struct Conv. */
export const CONV_BYTES = 144;

/** The size of struct Depthwise. */
export const DEPTHWISE_BYTES = 124;

/** The size of struct Elementwise. */
export const ELEMENTWISE_BYTES = 96;

/** The size of struct Table. */
export const TABLE_BYTES = 28;

/** The size of struct Unary. */
export const UNARY_BYTES = 20;

/** The size of struct Pool. */
export const POOL_BYTES = 100;

/** The size of struct Convert. */
export const CONVERT_BYTES = 32;

/** The size of struct Pixels. */
export const PIXELS_BYTES = 16;

/** The size of struct Move. */
export const MOVE_BYTES = 64;

/** The size of struct Copy. */
export const COPY_BYTES = 64;

/** The size of struct DotSpare. */
export const DOT_SPARE_BYTES = 240;

/** The size of struct DepthwiseSpare. */
export const DEPTHWISE_SPARE_BYTES = 64;

const convWords = (s: Conv): readonly Word[] => [
  s.input,
  s.weights,
  s.output,
  s.patches,
  s.wide,
  s.rows,
  s.reduction,
  s.outChannels,
  s.block,
  s.gather,
  s.inHeight,
  s.inWidth,
  s.inChannels,
  s.outWidth,
  s.kernelHeight,
  s.kernelWidth,
  s.strideY,
  s.strideX,
  s.dilationY,
  s.dilationX,
  s.top,
  s.left,
  s.inputZero,
  s.weightsZero,
  s.range.zero,
  s.range.low,
  s.range.high,
  s.signs,
  f32(s.low),
  f32(s.high),
  s.int16Input,
  s.int16Output,
  s.whole,
  s.operands,
  s.apart,
  s.flip,
];

const depthwiseWords = (s: Depthwise): readonly Word[] => [
  s.input,
  s.weights,
  s.output,
  s.planes,
  s.inHeight,
  s.inWidth,
  s.inChannels,
  s.outHeight,
  s.outWidth,
  s.channels,
  s.kernelHeight,
  s.kernelWidth,
  s.strideY,
  s.strideX,
  s.dilationY,
  s.dilationX,
  s.top,
  s.left,
  s.multiplier,
  s.block,
  s.paddedWidth,
  s.inputZero,
  s.range.zero,
  s.range.low,
  s.range.high,
  s.signs,
  f32(s.low),
  f32(s.high),
  s.int16Input,
  s.int16Output,
  s.flip,
];

const elementwiseWords = (s: Elementwise): readonly Word[] => [
  s.a,
  s.b,
  s.output,
  s.size,
  s.period,
  s.run,
  s.operation,
  s.aZero,
  s.bZero,
  s.aMultiplier,
  s.aShift,
  s.bMultiplier,
  s.bShift,
  s.outMultiplier,
  s.outShift,
  s.inF32,
  f32(s.aFactor),
  f32(s.bFactor),
  f32(s.offset),
  s.range.zero,
  s.range.low,
  s.range.high,
  f32(s.low),
  f32(s.high),
];

const tableWords = (s: Table): readonly Word[] => [s.a, s.b, s.output, s.size, s.period, s.run, s.table];

const unaryWords = (s: Unary): readonly Word[] => [s.input, s.output, s.size, s.operation, f32(s.parameter)];

const poolWords = (s: Pool): readonly Word[] => [
  s.input,
  s.output,
  s.inHeight,
  s.inWidth,
  s.channels,
  s.outHeight,
  s.outWidth,
  s.height,
  s.width,
  s.strideY,
  s.strideX,
  s.top,
  s.left,
  s.operation,
  s.subtract,
  s.multiplier,
  s.shift,
  s.divide,
  s.add,
  s.up,
  s.range.zero,
  s.range.low,
  s.range.high,
  f32(s.low),
  f32(s.high),
];

const convertWords = (s: Convert): readonly Word[] => [
  s.input,
  s.output,
  s.size,
  s.table,
  f32(s.scale),
  f32(s.zero),
  f32(s.low),
  f32(s.high),
];

const pixelsWords = (s: Pixels): readonly Word[] => [s.pixels, s.output, s.size, s.levels];

const moveWords = (s: Move): readonly Word[] => [
  s.input,
  s.output,
  s.table,
  s.start,
  s.run,
  ...s.count,
  ...s.inStep,
  ...s.outStep,
  s.fillBytes,
  s.fill,
];

const copyWords = (s: Copy): readonly Word[] => [
  s.input,
  s.output,
  s.from,
  s.to,
  ...s.count,
  ...s.inStep,
  ...s.outStep,
];

/** The kernels that take Conv. */
export type ConvKernel =
  | "f32_gemm_4x8_fma"
  | "qd16_f32_gemm_4x8c2_dot16x2"
  | "qd16_f32_gemm_4x8c2_strassen"
  | "qu8_gemm_4x8c2_dot16x2"
  | "qu8_gemm_4x12c4_usdot"
  | "qu8_gemm_3x8c4_usdot2";

/** The kernels that take Depthwise. */
export type DepthwiseKernel = "f32_dwconv_7x4_fma" | "qu8_dwconv_2x8c2_dot16x2" | "qu8_dwconv_2x4x4c4_usdot";

/** The kernels that take Elementwise. */
export type ElementwiseKernel = "f32_vbinary" | "qu8_vbinary";

/** The kernels that take Table. */
export type TableKernel = "x8_lut2";

/** The kernels that take Unary. */
export type UnaryKernel = "f32_vunary";

/** The kernels that take Pool. */
export type PoolKernel = "f32_pool" | "qu8_pool";

/** The kernels that take Convert. */
export type ConvertKernel = "x8_lut" | "f32_qu8_vcvt" | "qu8_f32_vcvt" | "f32_vclamp" | "f32_vhswish";

/** The kernels that take Pixels. */
export type PixelsKernel = "x8_x32_lut3" | "x8_lut3";

/** The kernels that take Move. */
export type MoveKernel = "x8_move";

/** The kernels that take Copy. */
export type CopyKernel = "x32_copy" | "x8_copy";

export type KernelName =
  | ConvKernel
  | DepthwiseKernel
  | ElementwiseKernel
  | TableKernel
  | UnaryKernel
  | PoolKernel
  | ConvertKernel
  | PixelsKernel
  | MoveKernel
  | CopyKernel;

/** A kernel and its parameters. What they point to may still have no address. */
export type KernelCall =
  | { readonly kernel: ConvKernel; readonly parameters: Conv }
  | { readonly kernel: DepthwiseKernel; readonly parameters: Depthwise }
  | { readonly kernel: ElementwiseKernel; readonly parameters: Elementwise }
  | { readonly kernel: TableKernel; readonly parameters: Table }
  | { readonly kernel: UnaryKernel; readonly parameters: Unary }
  | { readonly kernel: PoolKernel; readonly parameters: Pool }
  | { readonly kernel: ConvertKernel; readonly parameters: Convert }
  | { readonly kernel: PixelsKernel; readonly parameters: Pixels }
  | { readonly kernel: MoveKernel; readonly parameters: Move }
  | { readonly kernel: CopyKernel; readonly parameters: Copy };

/** The parameters of a kernel in the order in which they lie in memory. */
export function parameterWords({ kernel, parameters }: KernelCall): readonly Word[] {
  switch (kernel) {
    case "f32_gemm_4x8_fma":
    case "qd16_f32_gemm_4x8c2_dot16x2":
    case "qd16_f32_gemm_4x8c2_strassen":
    case "qu8_gemm_4x8c2_dot16x2":
    case "qu8_gemm_4x12c4_usdot":
    case "qu8_gemm_3x8c4_usdot2":
      return convWords(parameters);
    case "f32_dwconv_7x4_fma":
    case "qu8_dwconv_2x8c2_dot16x2":
    case "qu8_dwconv_2x4x4c4_usdot":
      return depthwiseWords(parameters);
    case "f32_vbinary":
    case "qu8_vbinary":
      return elementwiseWords(parameters);
    case "x8_lut2":
      return tableWords(parameters);
    case "f32_vunary":
      return unaryWords(parameters);
    case "f32_pool":
    case "qu8_pool":
      return poolWords(parameters);
    case "x8_lut":
    case "f32_qu8_vcvt":
    case "qu8_f32_vcvt":
    case "f32_vclamp":
    case "f32_vhswish":
      return convertWords(parameters);
    case "x8_x32_lut3":
    case "x8_lut3":
      return pixelsWords(parameters);
    case "x8_move":
      return moveWords(parameters);
    case "x32_copy":
    case "x8_copy":
      return copyWords(parameters);
  }
}

/** How the sums of eight output channels become bytes: requantize.h. Precedes their packed weights. */
export const CHANNELS = {
  /** Its size. */
  bytes: 320,
  bias: int32(0),
  /** M */
  multiplier: float32(32),
  /** REQUANTIZE_BASE + C + 5 steps */
  offset: float32(64),
  /** N */
  negative: float32(96),
  exactMultiplier: float64(128),
  /** REQUANTIZE_BIAS + C */
  exactOffset: float64(192),
  exactNegative: float64(256),
} as const;

/** Begins a panel of qd16_f32_gemm_4x8c2_dot16x2.c; weights [pairs][8][2] int16 follow. */
export const HEAD = {
  /** Its size. */
  bytes: 64,
  bias: float32(0),
  scale: float32(32),
} as const;

/** Stands between struct Channels and the weights of a panel of qu8_gemm_3x8c4_usdot2.c. */
export const OVERFLOW_HEADER = {
  /** Its size. */
  bytes: 16,
  /** how many struct OverflowWeights lie behind the weights */
  count: int32(0),
} as const;

/** Overflow weights: what is left of the weights of four places of K. */
export const OVERFLOW_WEIGHTS = {
  /** Its size. */
  bytes: 48,
  /** of the four places, along K */
  offset: int32(0),
  weights: int8(16),
} as const;

/** Eight channels of qu8_dwconv_2x4x4c4_usdot.c. */
export const DEPTHWISE_PANEL = {
  /** Its size. */
  bytes: 336,
  channels: 0,
  /** 1 or 2 */
  parts: int32(320),
  /** [part][2][kernel height][kernel width / 4][4 channels][4 taps] */
  weights: int8(336),
} as const;

/** The functions that the module exports. Addresses are numbers. */
export interface Exports {
  /** 1 if the relaxed dot product of four such bytes is exact; `byte` is below zero if they are to be signed. */
  usdot_is_exact(weight: number, byte: number): number;
  /** 1 if the relaxed dot product of two such bytes is exact. */
  usdot2_is_exact(weight: number, byte: number): number;
  /** Converts binary16 to f32. */
  f16_f32_vcvt(from: number, to: number, count: number): void;
  /** Packs weights [8][K] into a panel of f32_gemm_4x8_fma.c. */
  f32_packw_x8(from: number, to: number, reduction: number): void;
  /** The same for qd16_f32_gemm_4x8c2_dot16x2.c; weights are within `limit` steps, activations within `largest`. */
  f32_qs16_packw_x8c2(
    from: number,
    steps: number,
    to: number,
    reduction: number,
    limit: number,
    largest: number,
    oneSign: number,
    factor: number,
  ): void;
  /** The same for qu8_gemm_4x8c2_dot16x2.c; `flip`: 128 for int8, else 0. */
  qu8_qs16_packw_x8c2(from: number, to: number, reduction: number, flip: number, zero: number): void;
  /** The same for qu8_gemm_4x12c4_usdot.c; `flip`: 128 for uint8, else 0. */
  qu8_packw_x8c4_usdot(from: number, sums: number, to: number, reduction: number, flip: number): void;
  /** The same for qu8_gemm_3x8c4_usdot2.c. Returns the number of overflow weights; with `to` 0 it only counts them. */
  qu8_packw_x8c4_usdot2(
    from: number,
    to: number,
    rest: number,
    sums: number,
    reduction: number,
    outChannels: number,
    flip: number,
    zero: number,
  ): number;
  /**
   * The products of `length` values with those of each of `count` rows, which begin `stride` bytes after each other.
   */
  s8_gemv_4c16_dot16x2(
    values: number,
    rows: number,
    products: number,
    length: number,
    stride: number,
    count: number,
  ): void;
}

export type Kernels = Exports & { readonly [name in KernelName]: (parameters: number) => void };
