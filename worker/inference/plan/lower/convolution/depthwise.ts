/** The kernels that compute depthwise convolutions, and the choice among them. */
import {
  COLUMN_BYTES,
  DEPTHWISE_SPARE_BYTES,
  type DepthwiseKernel,
  DOT_TAPS,
  PLANE_GAP,
  PLANES,
} from "../../layouts.ts";
import {
  canBeParted,
  type DepthwiseBytes,
  depthwiseRounding,
  packF32Dwconv,
  packQu8DwconvDot16x2,
  packQu8DwconvUsdot,
} from "../../pack/depthwise.ts";
import type { FloatMatrix } from "../../pack/f32.ts";
import type { Later } from "../../pack/panels.ts";
import { at, type KernelStep, type Packed, packedAt } from "../../step.ts";
import { type ByteDot, scratchLayout } from "../builder.ts";
import type { Value } from "../value.ts";
import { type Convolution, type Geometry, windowOf } from "./geometry.ts";
import { flipOf, outputOf } from "./output.ts";

/** Bytes of the planes that a depthwise convolution goes over at a time. */
const PADDED_BYTES = 96 << 10;

interface Planes {
  readonly geometry: Geometry;
  readonly channels: number;
  readonly inChannels: number;
}

export interface FloatPlanes extends Planes {
  /** Weights [kernel height, kernel width, channels]. */
  readonly weights: Pick<FloatMatrix, "bias" | "steps"> & { readonly weights: Later<Float32Array> };
}

export interface BytePlanes extends Planes {
  /** What the relaxed dot product of four bytes takes on this CPU; false if it is not exact. */
  readonly dot: ByteDot | false;
  /** The input's zero point. */
  readonly inputZero: number;
  readonly weights: DepthwiseBytes;
  /** Input scale · weight scale / output scale, of each channel. */
  readonly multipliers: readonly number[];
}

interface DepthwiseChoice<P extends Planes> {
  readonly kernel: DepthwiseKernel;
  accepts(planes: P): boolean;
  /** Bytes. */
  scratch(planes: P): number;
  pack(planes: P): Packed;
}

/** How the planes are gone over: rows of output at a time, values of a padded row, and the bytes of the padded rows. */
function blockOf({ kernel, output, stride, dilation }: Geometry) {
  const paddedWidth = (output[1] - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1;
  const rowBytes = PLANES * paddedWidth * COLUMN_BYTES;
  const reach = (kernel[0] - 1) * dilation[0] + 1;
  const fitting = Math.floor((PADDED_BYTES / rowBytes - reach) / stride[0]) + 1;
  const block = Math.min(output[0], Math.max(1, fitting));
  const bytes = rowBytes * ((block - 1) * stride[0] + reach) + PLANES * PLANE_GAP;
  return { block, paddedWidth, bytes };
}

/** Scratch of qu8_dwconv_2x4x4c4_usdot.c: struct DepthwiseSpare, and as many rows of 16 channels as two rows of output reach over. */
function ringBytes({ kernel, output, stride, dilation }: Geometry): number {
  const columns = output[1] + (Math.ceil(kernel[1] / DOT_TAPS) - 1) * Math.floor(DOT_TAPS / stride[1]);
  const rows = (kernel[0] - 1) * dilation[0] + 1 + stride[0];
  return DEPTHWISE_SPARE_BYTES + rows * 4 * columns * COLUMN_BYTES;
}

/** A signed dot product is not exact for pairs of weights of −128. */
const leastPart = (dot: ByteDot | false): number => (dot === "signed" ? -127 : -128);

const tapsOf = ({ kernel }: Geometry): number => kernel[0] * kernel[1];

/** Whether the rows of a window are such as qu8_dwconv_2x4x4c4_usdot.c computes four taps at a time. */
const goesByFours = ({ kernel, stride, dilation }: Geometry): boolean =>
  dilation[1] === 1 && (kernel[1] <= DOT_TAPS || DOT_TAPS % stride[1] === 0);

/** The kernels for f32. */
export const F32_KERNELS: readonly DepthwiseChoice<FloatPlanes>[] = [
  {
    kernel: "f32_dwconv_7x4_fma",
    accepts: () => true,
    scratch: ({ geometry }) => blockOf(geometry).bytes,
    pack: ({ weights, geometry, channels }) => packF32Dwconv(weights, tapsOf(geometry), channels),
  },
];

/**
 * The kernels for uint8, and for int8, which is stored as uint8. The first that accepts is the fastest; the last
 * accepts all.
 */
export const U8_KERNELS: readonly DepthwiseChoice<BytePlanes>[] = [
  {
    kernel: "qu8_dwconv_2x4x4c4_usdot",
    accepts: ({ dot, geometry, channels, inChannels, weights }) =>
      dot !== false &&
      channels === inChannels &&
      goesByFours(geometry) &&
      canBeParted(weights.weights(), leastPart(dot)),
    scratch: ({ geometry }) => ringBytes(geometry),
    pack: ({ weights, multipliers, geometry, inputZero, dot }) =>
      packQu8DwconvUsdot(weights, multipliers, geometry.kernel, inputZero - flipOf(dot), leastPart(dot)),
  },
  {
    kernel: "qu8_dwconv_2x8c2_dot16x2",
    accepts: () => true,
    scratch: ({ geometry }) => blockOf(geometry).bytes,
    pack: ({ weights, multipliers, geometry }) => packQu8DwconvDot16x2(weights, multipliers, tapsOf(geometry)),
  },
];

/** The step that computes a depthwise convolution by the first kernel of a table that accepts it. */
export function depthwiseStep<P extends FloatPlanes | BytePlanes>(
  table: readonly DepthwiseChoice<P>[],
  planes: P,
  { operator, input, output }: { operator: Convolution; input: Value; output: Value },
): KernelStep {
  const chosen = table.find(({ accepts }) => accepts(planes));
  if (chosen === undefined) throw new Error("no kernel accepts a depthwise convolution");
  const { geometry, channels, inChannels } = planes;
  const { block, paddedWidth } = blockOf(geometry);
  const scratch = scratchLayout([chosen.scratch(planes)]);
  // If some channels round away from zero, the last one does, so that asking about it is enough.
  const rounding = depthwiseRounding("dot" in planes && planes.weights.ups, channels - 1, channels);
  return {
    kernel: chosen.kernel,
    packed: chosen.pack(planes),
    scratch: scratch.bytes,
    parameters: {
      input: at(input.tensor.index),
      weights: packedAt(0),
      output: at(output.tensor.index),
      planes: scratch.places[0],
      inHeight: geometry.input[0],
      inWidth: geometry.input[1],
      inChannels,
      outHeight: geometry.output[0],
      outWidth: geometry.output[1],
      channels,
      ...windowOf(geometry),
      multiplier: channels / inChannels,
      block,
      paddedWidth,
      inputZero: input.kind === "u8" ? input.zero : 0,
      flip: "dot" in planes ? flipOf(planes.dot) : 0,
      ...outputOf(operator, input, output, rounding),
    },
  };
}
