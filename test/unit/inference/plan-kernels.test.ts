/** Every kernel of native/kernels compared with plain loops, over random shapes, strides, paddings and remainders. */
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../../worker/inference/backend.ts";
import { exactDot, pairsAreExact } from "../../../worker/inference/plan/kernels.ts";
import { makePlan, NoPlan, type PlanOptions } from "../../../worker/inference/plan/plan.ts";
import type { Activation, Graph, Quantization } from "../../../worker/tflite/graph.ts";
import {
  clamp,
  clampQuantized,
  drawReduction,
  meanOfBytes,
  multiplyByQuantizedMultiplier,
  runPlan as run,
  sums,
} from "./plan-reference.ts";
import { graphOf, outer, Random, randomShape, size } from "./random-graph.ts";

beforeAll(initBackend);

const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);
const ACTIVATIONS: readonly Activation[] = ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"];

const one = (scale: number, zero: number): Quantization => ({
  scale: [Math.fround(scale)],
  zeroPoint: [zero],
  axis: 0,
});

/** What most depthwise convolutions of networks are: 3 × 3, of many channels. */
const largeShape = (random: Random) => ({
  height: random.int(3, 17),
  width: random.int(7, 30),
  channels: 4 * random.int(1, 12),
  kernel: [3, 3] as const,
  dilation: [1, 1] as const,
  stride: random.pick([
    [1, 1],
    [2, 2],
    [1, 2],
    [2, 1],
  ] as const),
});

/** How many plans had the kernel of pairs, which weights alone decide. */
let usedPairs = 0;

function kernelsOf(graph: Graph, options: PlanOptions): readonly string[] {
  const plan = makePlan(graph, options);
  const { kernels } = plan;
  plan.dispose();
  return kernels;
}

describe.each(["CONV_2D", "DEPTHWISE_CONV_2D"] as const)("%s", (op) => {
  const depthwise = op === "DEPTHWISE_CONV_2D";

  it.each(SEEDS)("of floats, seed %i", (seed) => {
    const random = new Random(seed);
    const drawn = randomShape(random);
    const shape = depthwise ? { ...drawn, filters: random.pick([1, 1, 1, 2, 3]) } : drawn;
    const { height, width, channels, kernel, filters } = shape;
    const outChannels = depthwise ? channels * filters : filters;
    const filterShape = depthwise ? [1, ...kernel, outChannels] : [outChannels, ...kernel, channels];
    const { y, x } = outer(shape);
    const activation = random.pick(ACTIVATIONS);
    const input = random.floats(height * width * channels).map((value) => value * 4);
    const weights = random.floats(size(filterShape));
    const bias = random.next() < 0.5 ? random.floats(outChannels) : undefined;
    const graph = graphOf(
      [
        { shape: [1, height, width, channels] },
        { shape: filterShape, data: weights },
        ...(bias ? [{ shape: [outChannels], data: bias }] : []),
        { shape: [1, y, x, outChannels] },
      ],
      { op, options: { ...shape, activation } },
    );
    const exact = run(graph, { precision: "exact" }, input);
    const fast = run(graph, { precision: "fast", apart: false }, input);
    expect(run(graph, { precision: "fast", apart: true }, input)).toEqual(fast);
    const largest = Math.max(...input.map(Math.abs));
    const expected = [...sums(shape, depthwise, input, weights)];
    expect(exact.length).toBe(expected.length);
    for (const [i, { channel, sum, magnitude }] of expected.entries()) {
      const value = clamp(sum + (bias?.[channel] ?? 0), activation);
      expect(Math.abs(exact[i] - value)).toBeLessThan(1e-6 * (magnitude + 1));
      // A step of the row is 1/4095 of its largest value, of which half may be lost with each product.
      const reduction = kernel[0] * kernel[1] * channels;
      expect(Math.abs(fast[i] - value)).toBeLessThan(1e-6 + (largest * reduction) / 8190 + 1e-3 * magnitude);
    }
  });

  const variants = [
    ["uint8, one scale", false, "wide"],
    ["int8, a scale for each channel", true, "wide"],
    ["uint8, sums apart", false, "apart"],
    ["uint8 by the dot product", false, "dot"],
    ["int8 by the dot product", true, "dot"],
    ["uint8 by the signed dot product", false, "signed"],
    ["int8 by the signed dot product", true, "signed"],
    ["uint8 by the dot product of pairs", false, "pairs"],
    ["int8 by the dot product of pairs", true, "pairs"],
  ] as const;
  it.each(variants.flatMap(([name, signed, how]) => SEEDS.map((seed) => ({ name, signed, how, seed }))))(
    "of $name, seed $seed",
    ({ signed, how, seed }) => {
      const pairs = how === "pairs";
      const dot = how === "dot" ? "unsigned" : how === "signed" ? how : false;
      if (pairs && (depthwise || !pairsAreExact())) return;
      const random = new Random(1000 + seed);
      const drawn = randomShape(random);
      // Every other depthwise convolution by the dot product is of the kind that goes by large tiles.
      const tiled = dot !== false && depthwise && seed % 2 === 0;
      const chosen = tiled ? { ...drawn, ...largeShape(random) } : drawn;
      const shape = depthwise ? { ...chosen, filters: tiled ? 1 : random.pick([1, 1, 1, 2, 3]) } : drawn;
      const { height, width, channels, kernel, filters } = shape;
      const outChannels = depthwise ? channels * filters : filters;
      const filterShape = depthwise ? [1, ...kernel, outChannels] : [outChannels, ...kernel, channels];
      const { y, x } = outer(shape);
      const activation = tiled ? "RELU" : random.pick(ACTIVATIONS);
      const reduction = size(kernel) * (depthwise ? 1 : channels);
      const floor = signed ? -128 : 0;
      // Another CPU's dot product is exact as long as bytes, as it takes them, are from 0 to 127.
      const foreign = dot !== false && dot !== exactDot();
      const [least, top] = !foreign ? [0, 255] : dot === "signed" ? [128, 255] : [0, 127];
      const zero = random.int(least, top) + floor;
      const outputZero = random.int(0, 255) + floor;
      const weightsZero = signed ? 0 : random.int(0, 255);
      const input = Float32Array.from(
        { length: height * width * channels },
        () => random.int(least, top) + floor - zero,
      );
      // Pairs are used where large weights are rare; weights that all fit a byte are other code in dot products.
      const rare = pairs ? random.pick([0.02, 0.05, 0]) : dot ? random.pick([1, 1, 0.02, 0]) : 1;
      const draw = (low: number, high: number, middle: number) =>
        random.next() < rare ? random.int(low, high) : Math.min(high, Math.max(low, middle + random.int(-20, 20)));
      const weights = signed
        ? Int8Array.from({ length: size(filterShape) }, () => draw(-128, 127, 0))
        : Uint8Array.from({ length: size(filterShape) }, () => draw(0, 255, weightsZero));
      const bias =
        random.next() < 0.7 ? Int32Array.from({ length: outChannels }, () => random.int(-30000, 30000)) : undefined;
      const inputScale = Math.fround(0.01 + 0.05 * random.next());
      const scales = Array.from({ length: signed ? outChannels : 1 }, () => Math.fround(0.002 + 0.02 * random.next()));
      const output = one(0.01 * inputScale * (1 + random.next()) * Math.sqrt(reduction) * 200, outputZero);
      const quantization = { scale: scales, zeroPoint: scales.map(() => weightsZero), axis: depthwise ? 3 : 0 };
      const type = signed ? "int8" : "uint8";
      const graph = graphOf(
        [
          { shape: [1, height, width, channels], type, quantization: one(inputScale, zero) },
          { shape: filterShape, data: weights, quantization },
          ...(bias ? [{ shape: [outChannels], data: bias, quantization: one(1, 0) }] : []),
          { shape: [1, y, x, outChannels], type, quantization: output },
        ],
        { op, options: { ...shape, activation } },
      );
      const actual = run(graph, { precision: "quantised", dot, pairs, apart: how === "apart" }, input);
      if (pairs)
        usedPairs += kernelsOf(graph, { precision: "quantised", dot, pairs }).includes("qu8_gemm_3x8c4_usdot2") ? 1 : 0;
      const real = [...weights].map((weight) => weight - weightsZero);
      const expected = Float32Array.from(sums(shape, depthwise, input, real), ({ channel, sum }) => {
        const scale = scales[signed ? channel : 0];
        const product = signed ? inputScale * scale : Math.fround(inputScale * scale);
        const total = sum + (bias?.[channel] ?? 0);
        // Depthwise, TFLite's optimised kernel has halves go up in each eight channels, and away from zero in the rest.
        const up = signed && (!depthwise || channel < outChannels - (outChannels % 8));
        const scaled = multiplyByQuantizedMultiplier(total, product / output.scale[0], up);
        return clampQuantized(scaled, activation, output, signed);
      });
      expect(actual).toEqual(expected.map((value) => value + 0));
    },
  );
});

describe("requantisation", () => {
  // Sums are biases alone: those where the result goes from one byte to the next, and their neighbours.
  it.each(SEEDS.slice(0, 20).flatMap((seed) => (["uint8", "int8"] as const).map((type) => ({ type, seed }))))(
    "of $type, on both sides of where each byte begins, seed $seed",
    ({ type, seed }) => {
      const random = new Random(4000 + seed);
      const signed = type === "int8";
      const multiplier = Math.fround(2 ** (-14 * random.next())) / random.int(1, 3);
      const output = one(1, random.int(0, 255) - (signed ? 128 : 0));
      const sumsAt = Array.from({ length: 513 }, (_, i) => Math.round((i - 256.5) / multiplier));
      const bias = Int32Array.from(sumsAt.flatMap((sum) => [sum - 2, sum - 1, sum, sum + 1, sum + 2]));
      const activation = random.pick(ACTIVATIONS);
      const graph = graphOf(
        [
          { shape: [1, 1, 1, 1], type, quantization: one(1, 0) },
          {
            shape: [bias.length, 1, 1, 1],
            data: signed ? new Int8Array(bias.length) : new Uint8Array(bias.length),
            quantization: one(multiplier, 0),
          },
          { shape: [bias.length], data: bias, quantization: one(1, 0) },
          { shape: [1, 1, 1, bias.length], type, quantization: output },
        ],
        { op: "CONV_2D", options: { padding: "same", stride: [1, 1], dilation: [1, 1], activation } },
      );
      const expected = Float32Array.from(bias, (sum) => {
        const scaled = multiplyByQuantizedMultiplier(sum, Math.fround(multiplier), signed);
        return clampQuantized(scaled, activation, output, signed) + 0;
      });
      for (const dot of ["unsigned", "signed", false] as const) {
        expect(run(graph, { precision: "quantised", dot }, Float32Array.of(1))).toEqual(expected);
      }
    },
  );
});

describe("a signed dot product", () => {
  const kernelsWith = (op: string, filterShape: readonly number[], data: Int8Array | Uint8Array, zeroPoint = 0) => {
    const signed = data instanceof Int8Array;
    const filters = filterShape[op === "CONV_2D" ? 0 : 3];
    const channels = op === "CONV_2D" ? filterShape[3] : filters;
    const [type, quantization] = [signed ? "int8" : "uint8", one(0.05, 0)] as const;
    const graph = graphOf(
      [
        { shape: [1, 4, 4, channels], type, quantization },
        { shape: filterShape, data, quantization: one(0.01, zeroPoint) },
        { shape: [1, 4, 4, filters], type, quantization },
      ],
      { op, options: { padding: "same", stride: [1, 1], dilation: [1, 1], activation: "NONE" } },
    );
    return kernelsOf(graph, { precision: "quantised", dot: "signed", pairs: false });
  };
  const [byDot, byOther] = [["qu8_gemm_4x12c4_usdot"], ["qu8_gemm_4x8c2_dot16x2"]];

  it.each([
    ["none is -128", Int8Array.of(-127, -127, 127, 5, -127, 0), byDot],
    ["one of a pair is", Int8Array.of(-128, 127, -127, -128, 0, -128), byDot],
    ["two that are no pair are", Int8Array.of(0, -128, -128, 0, 0, 0), byDot],
    ["both of a pair are", Int8Array.of(0, 0, -128, -128, 0, 0), byOther],
    ["both of a pair are, stored as 0", Uint8Array.of(9, 9, 9, 9, 0, 0), byOther],
    ["one of a pair is, stored as 0", Uint8Array.of(9, 0, 9, 0, 0, 9), byDot],
  ])("does not multiply pairs of -128: %s", (_, weights, kernels) => {
    expect(kernelsWith("CONV_2D", [1, 1, 1, 6], weights)).toEqual(kernels);
  });

  it("pairs do not reach from one output channel to the next", () => {
    expect(kernelsWith("CONV_2D", [2, 1, 1, 3], Int8Array.of(1, 1, -128, -128, 1, 1))).toEqual(byDot);
    expect(kernelsWith("CONV_2D", [2, 1, 1, 3], Int8Array.of(1, 1, -128, 1, -128, -128))).toEqual(byDot);
    expect(kernelsWith("CONV_2D", [2, 1, 1, 3], Int8Array.of(1, 1, -128, -128, -128, 1))).toEqual(byOther);
  });

  it.each([
    [254, ["qu8_dwconv_2x4x4c4_usdot"]],
    [255, ["qu8_dwconv_2x8c2_dot16x2"]],
  ])("multiplies depthwise weights as two parts within 127: a zero point of %i", (zero, kernels) => {
    const weights = new Uint8Array(9 * 16);
    expect(kernelsWith("DEPTHWISE_CONV_2D", [1, 3, 3, 16], weights, zero)).toEqual(kernels);
  });
});

it("most of the plans that might multiply in pairs did", () => {
  if (pairsAreExact()) expect(usedPairs).toBeGreaterThan(SEEDS.length);
});

describe("FULLY_CONNECTED", () => {
  it.each(SEEDS.slice(0, 20))("of floats and bytes, seed %i", (seed) => {
    const random = new Random(seed);
    const [rows, reduction, outChannels] = [random.int(1, 7), random.int(1, 300), random.int(1, 40)];
    const input = random.floats(rows * reduction);
    const weights = random.floats(outChannels * reduction);
    const options = { activation: random.pick(ACTIVATIONS), shuffledWeights: false };
    const graph = graphOf(
      [
        { shape: [rows, reduction] },
        { shape: [outChannels, reduction], data: weights },
        { shape: [rows, outChannels] },
      ],
      { op: "FULLY_CONNECTED", options },
    );
    const actual = run(graph, { precision: "exact" }, input);
    const fast = run(graph, { precision: "fast" }, input);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < outChannels; channel++) {
        let sum = 0;
        for (let k = 0; k < reduction; k++) sum += input[row * reduction + k] * weights[channel * reduction + k];
        const expected = clamp(sum, options.activation);
        expect(actual[row * outChannels + channel]).toBeCloseTo(expected, 4);
        expect(Math.abs(fast[row * outChannels + channel] - expected)).toBeLessThan(1e-6 + reduction / 4000);
      }
    }
  });
});

describe.each(["ADD", "SUB", "MUL"] as const)("%s", (op) => {
  const compute = {
    ADD: (a: number, b: number) => a + b,
    SUB: (a: number, b: number) => a - b,
    MUL: (a: number, b: number) => a * b,
  }[op];

  it.each(SEEDS.slice(0, 20))("of floats and bytes, seed %i", (seed) => {
    const random = new Random(seed);
    const shape = [1, random.int(1, 5), random.int(1, 5), random.int(1, 19)];
    const others = [shape, [shape[3]], [1], [1, 1, 1, shape[3]], [...shape.slice(0, 3), 1], [shape[1], 1, 1]];
    const other = random.pick([...others, [1, 1, shape[2], 1], [1, ...shape.slice(2)]]);
    // Which of the second's values goes with the first's value at i.
    const partner = (i: number): number => {
      const dims = [...Array.from({ length: 4 - other.length }, () => 1), ...other];
      const at = shape.map((dim, axis) => Math.floor(i / size(shape.slice(axis + 1))) % dim);
      return dims.reduce((index, dim, axis) => index * dim + (dim === 1 ? 0 : at[axis]), 0);
    };
    const activation = random.pick(ACTIVATIONS);
    const [a, b] = [random.floats(size(shape)), random.floats(size(other))];
    const floats = graphOf([{ shape }, { shape: other }, { shape }], { op, options: { activation } });
    const expected = a.map((value, i) => clamp(compute(value, b[partner(i)]), activation));
    const actual = run(floats, { precision: "exact" }, a, b);
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);

    const quantization = [one(0.02, 100), one(0.03, 140), one(0.05, 120)];
    const contents = [shape, other, shape].map((dims, i) => ({
      shape: dims,
      type: "uint8" as const,
      quantization: quantization[i],
    }));
    const bytes = [size(shape), size(other)].map((length, i) =>
      Float32Array.from({ length }, () => random.int(0, 255) - quantization[i].zeroPoint[0]),
    );
    const got = run(graphOf(contents, { op, options: { activation } }), { precision: "quantised" }, ...bytes);
    for (const [i, value] of bytes[0].entries()) {
      const real = compute(value * 0.02, bytes[1][partner(i)] * 0.03) / 0.05;
      // TFLite's own rounding is within a step of the right one; to the byte it is checked by the fixtures.
      const low = clampQuantized(Math.floor(real), activation, quantization[2], false);
      const high = clampQuantized(Math.ceil(real), activation, quantization[2], false);
      expect(got[i]).toBeGreaterThanOrEqual(low);
      expect(got[i]).toBeLessThanOrEqual(high);
    }
  });
});

describe("sums, differences and products of bytes", () => {
  /** The first are computed in f32 where the margin suffices, sums of the last three and products of the last never. */
  const SCALES = [
    [0.02, 0.03, 0.05],
    [0.1, 0.1, 0.1],
    [0.3359, 0.0121, 0.3402],
    [0.05, 0.05, 0.05000001],
    [0.07, 0.031, 0.101],
    [0.09, 0.11, 0.02],
    [0.9, 0.2, 0.1],
    [0.9, 4, 0.1],
  ] as const;

  it.each(SCALES.flatMap((scales) => (["ADD", "SUB", "MUL"] as const).map((op) => ({ op, scales }))))(
    "$op at $scales: every pair is TFLite's",
    ({ op, scales }) => {
      const quantization = [one(scales[0], 100), one(scales[1], 140), one(scales[2], 120)];
      const shape = [1, 256, 256, 1];
      const contents = quantization.map((quantization) => ({ shape, type: "uint8" as const, quantization }));
      const bytes = [(i: number) => i & 255, (i: number) => i >> 8].map((of, tensor) =>
        Float32Array.from({ length: 1 << 16 }, (_, i) => of(i) - quantization[tensor].zeroPoint[0]),
      );
      const graph = graphOf(contents, { op, options: { activation: "NONE" } });
      const got = run(graph, { precision: "quantised" }, ...bytes);
      // tensorflow/lite/kernels/add.cc, sub.cc and mul.cc.
      const [a, b, out] = quantization.map(({ scale }) => scale[0]);
      const twice = 2 * Math.max(a, b);
      const scaled = [a, b].map((scale, tensor) =>
        Array.from({ length: 256 }, (_, byte) =>
          multiplyByQuantizedMultiplier((byte - quantization[tensor].zeroPoint[0]) * 2 ** 20, scale / twice, false),
        ),
      );
      const expected = Float32Array.from({ length: 1 << 16 }, (_, i) => {
        if (op === "MUL") {
          const product = bytes[0][i] * bytes[1][i];
          const factor = Math.fround(Math.fround(a * b) / out);
          return Math.min(135, Math.max(-120, multiplyByQuantizedMultiplier(product, factor, false))) + 0;
        }
        const [left, right] = [scaled[0][i & 255], scaled[1][i >> 8]];
        const sum = op === "ADD" ? left + right : left - right;
        const byte = 120 + multiplyByQuantizedMultiplier(sum, twice / (2 ** 20 * out), false);
        return Math.min(255, Math.max(0, byte)) - 120;
      });
      expect(got).toEqual(expected);
    },
  );
});

describe("pools", () => {
  it.each(SEEDS.slice(0, 30))("of floats and bytes, seed %i", (seed) => {
    const random = new Random(seed);
    const shape = { ...randomShape(random, 4), dilation: [1, 1] as const };
    const { height, width, channels, kernel, stride, padding } = shape;
    const { y, x, top, left } = outer(shape);
    if (y < 1 || x < 1) return;
    const maximum = random.next() < 0.5;
    const options = { size: kernel, stride, padding, activation: "NONE" as const };
    const op = maximum ? "MAX_POOL_2D" : "AVERAGE_POOL_2D";
    const dims = [
      [1, height, width, channels],
      [1, y, x, channels],
    ];
    const input = Float32Array.from({ length: size(dims[0]) }, () => random.int(0, 255));
    const reference = new Float32Array(size(dims[1]));
    for (let i = 0; i < reference.length; i++) {
      const [oy, ox, c] = [Math.floor(i / channels / x), Math.floor(i / channels) % x, i % channels];
      const seen: number[] = [];
      for (let ky = 0; ky < kernel[0]; ky++) {
        for (let kx = 0; kx < kernel[1]; kx++) {
          const [iy, ix] = [oy * stride[0] - top + ky, ox * stride[1] - left + kx];
          if (iy >= 0 && iy < height && ix >= 0 && ix < width) seen.push(input[(iy * width + ix) * channels + c]);
        }
      }
      reference[i] = maximum ? Math.max(...seen) : seen.reduce((sum, value) => sum + value, 0) / seen.length;
    }
    const floats = graphOf(
      dims.map((dim) => ({ shape: dim })),
      { op, options },
    );
    const actual = run(floats, { precision: "exact" }, input);
    for (const [i, value] of reference.entries()) expect(actual[i]).toBeCloseTo(value, 3);
    const contents = dims.map((dim) => ({ shape: dim, type: "uint8" as const, quantization: one(0.5, 0) }));
    const bytes = run(graphOf(contents, { op, options }), { precision: "quantised" }, input);
    expect(bytes).toEqual(reference.map((value) => Math.floor(value + 0.5)));
  });
});

describe("MEAN", () => {
  it.each(SEEDS.slice(0, 20))("of floats and bytes over neighbouring axes, seed %i", (seed) => {
    const random = new Random(seed);
    const { shape, axes, keepDims, gone, kept, outer } = drawReduction(random);
    const input = Float32Array.from({ length: size(shape) }, () => random.int(0, 255));
    const reference = new Float32Array(size(kept));
    for (const [i, value] of input.entries()) {
      const at = shape.map((dim, axis) => Math.floor(i / size(shape.slice(axis + 1))) % dim);
      const to = kept.reduce((index, dim, axis) => index * dim + (dim === 1 ? 0 : at[axis]), 0);
      reference[to] += (value * reference.length) / input.length;
    }
    const constant = { shape: [axes.length], data: Int32Array.from(axes) };
    const operator = { op: "MEAN", options: { keepDims } } as const;
    const floats = run(graphOf([{ shape }, constant, { shape: outer }], operator), { precision: "exact" }, input);
    for (const [i, value] of reference.entries()) expect(floats[i]).toBeCloseTo(value, 3);
    const [from, to] = [shape, outer].map((dims) => ({
      shape: dims,
      type: "uint8" as const,
      quantization: one(0.5, 0),
    }));
    const bytes = run(graphOf([from, constant, to], operator), { precision: "quantised" }, input);
    const count = input.length / reference.length;
    const overPixels = keepDims && [...gone].sort().join() === "1,2";
    for (const [i, value] of reference.entries()) {
      // Over height and width at once TFLite rounds once.
      const exact = overPixels ? Math.floor(value + 0.5 + 1e-4) : meanOfBytes(Math.round(value * count), count);
      expect(bytes[i]).toBe(exact);
    }
  });

  it.each([0.25, 1, 100, 150, 256, 1000, 2 ** 20])(
    "of bytes whose scale is %d times the output's stays within bytes",
    (ratio) => {
      const [height, width, channels] = [7, 9, 21];
      const [from, to] = [one(1, 20), one(1 / ratio, 130)];
      const shapes = [
        [1, height, width, channels],
        [1, 1, 1, channels],
      ];
      const random = new Random(1);
      // A channel is bright, dark or mixed, so that means lie on both sides of what the output can hold.
      const input = Float32Array.from({ length: size(shapes[0]) }, (_, i) => {
        const dark = (i % channels) * 12;
        return random.int(dark, Math.min(255, dark + 30)) - from.zeroPoint[0];
      });
      const tensor = (shape: readonly number[], quantization: Quantization) => ({
        shape,
        type: "uint8" as const,
        quantization,
      });
      const axes = { shape: [2], data: Int32Array.from([1, 2]) };
      const graph = graphOf([tensor(shapes[0], from), axes, tensor(shapes[1], to)], {
        op: "MEAN",
        options: { keepDims: true },
      });
      // Mean of tensorflow/lite/kernels/internal/optimized: sums of bytes with the zero point in a bias, which is rounded.
      const count = height * width;
      const bias = to.zeroPoint[0] - Math.trunc((from.zeroPoint[0] * from.scale[0]) / to.scale[0] + 0.5);
      const expected = Float32Array.from({ length: channels }, (_, channel) => {
        let sum = 0;
        for (let pixel = 0; pixel < count; pixel++) sum += input[pixel * channels + channel] + from.zeroPoint[0];
        const real = Math.fround(from.scale[0] / (count * to.scale[0]));
        const byte = multiplyByQuantizedMultiplier(sum, real, false) + bias;
        return Math.min(255, Math.max(0, byte)) - to.zeroPoint[0];
      });
      expect(run(graph, { precision: "quantised" }, input)).toEqual(expected);
      if (ratio > 100) expect(new Set(expected)).toEqual(new Set([-130, 125]));
    },
  );

  it("over axes that are no neighbours: there is no plan", () => {
    const axes = { shape: [2], data: Int32Array.from([1, 3]) };
    const graph = graphOf([{ shape: [1, 2, 3, 4] }, axes, { shape: [1, 3] }], {
      op: "MEAN",
      options: { keepDims: false },
    });
    expect(() => makePlan(graph, { precision: "exact" })).toThrow(/\(MEAN\) goes over the axes 1,3/);
  });
});

describe("PAD and CONCATENATION", () => {
  it.each(SEEDS.slice(0, 20))("of floats and bytes, seed %i", (seed) => {
    const random = new Random(seed);
    const shape = Array.from({ length: random.int(1, 4) }, () => random.int(1, 20));
    const quantization = one(0.5, 7);
    const axis = random.int(0, shape.length - 1);
    const paddings = shape.map(() => [random.int(0, 3), random.int(0, 3)]);
    const padded = shape.map((dim, i) => dim + paddings[i][0] + paddings[i][1]);
    const second = shape.map((dim, i) => (i === axis ? random.int(1, 20) : dim));
    const joined = shape.map((dim, i) => (i === axis ? dim + second[i] : dim));
    const a = Float32Array.from({ length: size(shape) }, () => random.int(-7, 248));
    const b = Float32Array.from({ length: size(second) }, () => random.int(-7, 248));
    /** The value at `index` of a tensor of shape `dims`, each place of it moved by `by`; or none. */
    const value = (from: Float32Array, inner: number[], dims: number[], index: number, by: number[]) => {
      const at = dims.map((dim, i) => (Math.floor(index / size(dims.slice(i + 1))) % dim) - by[i]);
      if (at.some((place, i) => place < 0 || place >= inner[i])) return undefined;
      return from[at.reduce((sum, place, i) => sum * inner[i] + place, 0)];
    };
    const none = shape.map(() => 0);
    const shift = shape.map((dim, i) => (i === axis ? dim : 0));
    const expectedPad = Float32Array.from({ length: size(padded) }, (_, i) => {
      const before = paddings.map(([first]) => first);
      return value(a, shape, padded, i, before) ?? 0;
    });
    const expectedJoin = Float32Array.from({ length: size(joined) }, (_, i) => {
      return value(a, shape, joined, i, none) ?? value(b, second, joined, i, shift) ?? Number.NaN;
    });
    for (const type of ["float32", "uint8"] as const) {
      const of = (dims: number[]) => ({ shape: dims, type, ...(type === "uint8" && { quantization }) });
      const precision = type === "uint8" ? "quantised" : "exact";
      const pads = { shape: [shape.length, 2], data: Int32Array.from(paddings.flat()) };
      const pad = graphOf([of(shape), pads, of(padded)], { op: "PAD", options: undefined });
      expect(run(pad, { precision }, a)).toEqual(expectedPad);
      const options = { axis: axis - (random.next() < 0.5 ? shape.length : 0), activation: "NONE" as const };
      const concatenation = graphOf([of(shape), of(second), of(joined)], { op: "CONCATENATION", options });
      expect(run(concatenation, { precision }, a, b)).toEqual(expectedJoin);
    }
  });
});

describe("shapes that do not fit each other", () => {
  const conv = (input: number[], filter: number[], bias: number[], output: number[]) =>
    graphOf(
      [
        { shape: input },
        { shape: filter, data: new Float32Array(size(filter)) },
        { shape: bias, data: new Float32Array(size(bias)) },
        { shape: output },
      ],
      { op: "CONV_2D", options: { padding: "same", stride: [1, 1], dilation: [1, 1], activation: "NONE" } },
    );
  it.each([
    ["an output that is too high", conv([1, 4, 4, 3], [8, 1, 1, 3], [8], [1, 5, 4, 8])],
    ["an output of too many channels", conv([1, 4, 4, 3], [8, 1, 1, 3], [8], [1, 4, 4, 9])],
    ["a bias that is too short", conv([1, 4, 4, 3], [8, 1, 1, 3], [7], [1, 4, 4, 8])],
    ["a batch", conv([2, 4, 4, 3], [8, 1, 1, 3], [8], [2, 4, 4, 8])],
    [
      "a ReLU with a longer output",
      graphOf([{ shape: [1, 8] }, { shape: [1, 9] }], { op: "RELU", options: undefined }),
    ],
  ])("%s: there is no plan", (_, graph) => {
    expect(() => makePlan(graph, { precision: "exact" })).toThrow(NoPlan);
  });
});

describe("memory", () => {
  it("is given back, and a plan works on after tfjs' memory has grown", () => {
    const random = new Random(7);
    const make = (channels: number) =>
      graphOf(
        [
          { shape: [1, 4, 4, channels] },
          { shape: [channels, 1, 1, channels], data: random.floats(channels * channels) },
          { shape: [1, 4, 4, channels] },
        ],
        { op: "CONV_2D", options: { padding: "same", stride: [1, 1], dilation: [1, 1], activation: "NONE" } },
      );
    const small = makePlan(make(24), { precision: "exact" });
    const input = [{ values: random.floats(4 * 4 * 24), shape: [1, 4, 4, 24] }];
    const before = small.run(input)[0];
    const large = Array.from({ length: 4 }, () => makePlan(make(2048), { precision: "exact" }));
    expect(small.run(input)[0]).toEqual(before);
    for (const plan of large) plan.dispose();
    expect(small.run(input)[0]).toEqual(before);
    small.dispose();
  });
});
