/** Operations of graph models one by one, beside TensorFlow.js: those that TensorFlow's converter mostly writes otherwise. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compareNetworks } from "../../scripts/fixtures/keras/compare.ts";
import { type Given, graphModel, integers, text } from "./graph-def.ts";
import { random } from "./hostile-json/random.ts";

const [SIDE, PHOTOS] = [6, 3];
const CHANNELS = 3;

const source = random(1);
/** Numbers from −1 to 1. */
const numbers = (count: number): number[] => Array.from({ length: count }, () => source.below(2001) / 1000 - 1);

/** What computes "x" [1, height, width, channels] of "scaled", the picture in −1…1, and the weights that it needs. */
type Case = Pick<Given, "nodes" | "weights">;

const one = (op: string, inputs: readonly string[] = [], weights: Given["weights"] = {}, attributes = {}): Case => ({
  nodes: { x: [op, ["scaled", ...inputs], attributes] },
  weights,
});

const dilations = integers(1, 1, 1, 1);
const conv = { strides: integers(1, 2, 1, 1), dilations };
const kernel = { kernel: [numbers(3 * 3 * 3 * 4), [3, 3, 3, 4]] } as const;
const bias = { bias: [numbers(4), [4]] } as const;
const fused = (...ops: readonly string[]) => ({
  fused_ops: { list: { s: ops.map((op) => text(op).s) } },
  num_args: { i: ops.includes("Prelu") ? "2" : "1" },
});
const oneAround = { padding: text("EXPLICIT"), explicit_paddings: integers(0, 0, 1, 1, 1, 1, 0, 0) };
const two = { two: [[2], []] } as const;
const axis = { axis: [[3], []] } as const;

const CASES: Readonly<Record<string, Case>> = {
  "batch-normalization": one(
    "FusedBatchNormV3",
    ["scale", "shift", "mean", "variance"],
    {
      scale: [numbers(3), [3]],
      shift: [numbers(3), [3]],
      mean: [numbers(3), [3]],
      variance: [[0.5, 1, 2], [3]],
    },
    { epsilon: { f: 0.01 }, is_training: { b: false } },
  ),
  "explicit-padding": one("Conv2D", ["kernel"], kernel, {
    ...conv,
    padding: text("EXPLICIT"),
    explicit_paddings: integers(0, 0, 2, 0, 1, 3, 0, 0),
  }),
  "same-padding": one("Conv2D", ["kernel"], kernel, { ...conv, padding: text("SAME") }),
  "fused-leaky-relu": one(
    "_FusedConv2D",
    ["kernel", "bias"],
    { ...kernel, ...bias },
    {
      ...conv,
      ...fused("BiasAdd", "LeakyRelu"),
      padding: text("VALID"),
      leakyrelu_alpha: { f: 0.3 },
    },
  ),
  "fused-prelu": one(
    "_FusedConv2D",
    ["kernel", "bias", "slopes"],
    {
      ...kernel,
      ...bias,
      slopes: [
        [0.1, 0.2, 0.3, 0.4],
        [1, 1, 4],
      ],
    },
    { ...conv, ...fused("BiasAdd", "Prelu"), padding: text("VALID") },
  ),
  "fused-elu": one(
    "FusedDepthwiseConv2dNative",
    ["each", "bias"],
    { each: [numbers(2 * 2 * 3 * 2), [2, 2, 3, 2]], bias: [numbers(6), [6]] },
    { strides: integers(1, 1, 1, 1), dilations, padding: text("SAME"), ...fused("BiasAdd", "Elu") },
  ),
  // The padding becomes part of the convolution, whose input has the shape that Reshape gives it.
  "padding-behind-reshape": {
    nodes: {
      wide: ["Reshape", ["scaled", "sizes"]],
      x: ["DepthwiseConv2dNative", ["wide", "each"], { strides: integers(1, 1, 1, 1), dilations, ...oneAround }],
    },
    weights: { sizes: [[1, 4, 9, 3], [4]], each: [numbers(3 * 3 * 3), [3, 3, 3, 1]] },
  },
  // Several pictures, which TensorFlow.js computes, and windows narrower than their stride.
  "narrow-convolutions-of-several": {
    nodes: {
      several: ["Reshape", ["scaled", "sizes"]],
      y: ["Conv2D", ["several", "wide"], { strides: integers(1, 2, 1, 1), dilations, padding: text("SAME") }],
      z: ["DepthwiseConv2dNative", ["y", "high"], { strides: integers(1, 2, 2, 1), dilations, padding: text("SAME") }],
      x: ["Reshape", ["z", "one"]],
    },
    weights: {
      sizes: [[2, 6, 3, 3], [4]],
      wide: [numbers(3 * 3 * 4), [1, 3, 3, 4]],
      high: [numbers(3 * 4), [3, 1, 4, 1]],
      one: [[1, 4, 2, 4], [4]],
    },
  },
  // Leading dimensions of a constant count, also those of one.
  "constant-of-more-dimensions": {
    nodes: {
      five: ["Mul", ["scaled", "factors"]],
      most: ["Max", ["five", "last"], { keep_dims: { b: true } }],
      product: ["Mul", ["scaled", "most"]],
      x: ["Squeeze", ["product"], { squeeze_dims: integers(0) }],
    },
    weights: { factors: [numbers(3), [1, 1, 1, 1, 3]], last: [[4], []] },
  },
  // Along no axis at all.
  "minimum-of-each": {
    nodes: { x: ["Min", ["scaled", "none"], { keep_dims: { b: true } }] },
    weights: { none: [[], [0]] },
  },
  minimum: {
    nodes: { least: ["Min", ["scaled", "rows"], { keep_dims: { b: true } }], x: ["Sub", ["scaled", "least"]] },
    weights: { rows: [[1], [1]] },
  },
  power: one("Pow", ["two"], two),
  cube: one("Pow", ["three"], { three: [[3], []] }),
  gelu: {
    nodes: {
      part: ["Mul", ["scaled", "root"]],
      erf: ["Erf", ["part"]],
      sum: ["AddV2", ["one", "erf"]],
      half: ["Mul", ["half-of", "scaled"]],
      x: ["Mul", ["half", "sum"]],
    },
    weights: { root: [[Math.SQRT1_2], []], one: [[1], []], "half-of": [[0.5], []] },
  },
  clip: one("ClipByValue", ["low", "high"], { low: [[-0.3], []], high: [[0.5], []] }),
  sum: one("AddN", ["scaled", "scaled"]),
  reciprocal: { nodes: { large: ["AddV2", ["scaled", "two"]], x: ["Reciprocal", ["large"]] }, weights: two },
  "constant-first": { nodes: { large: ["AddV2", ["scaled", "two"]], x: ["RealDiv", ["two", "large"]] }, weights: two },
  "log-softmax": one("LogSoftmax"),
  tile: one("Tile", ["times"], { times: [[1, 2, 1, 2], [4]] }),
  slice: one("Slice", ["begin", "size"], { begin: [[0, 1, 2, 0], [4]], size: [[1, -1, 3, 3], [4]] }),
  "strided-slice": one(
    "StridedSlice",
    ["begin", "end", "step"],
    { begin: [[0, -1, 1, 0], [4]], end: [[1, 0, -1, 3], [4]], step: [[1, -2, 2, 1], [4]] },
    { begin_mask: { i: "9" }, end_mask: { i: "11" } },
  ),
  parts: {
    nodes: {
      parts: ["SplitV", ["scaled", "sizes", "axis"], { num_split: { i: "2" } }],
      x: ["ConcatV2", ["parts:1", "parts", "parts:1", "axis"], { N: { i: "3" } }],
    },
    weights: { sizes: [[1, -1], [2]], ...axis },
  },
  stack: {
    nodes: {
      rows: ["Unpack", ["scaled"], { axis: { i: "1" }, num: { i: "6" } }],
      x: ["Pack", ["rows:5", "rows:2", "rows"], { axis: { i: "2" } }],
    },
    weights: {},
  },
  // A constant along the height, which has as many numbers as there are channels.
  "row-factors": {
    nodes: {
      conv: ["Conv2D", ["scaled", "six"], { strides: integers(1, 1, 1, 1), dilations, padding: text("SAME") }],
      x: ["Mul", ["conv", "rows"]],
    },
    weights: { six: [numbers(3 * 6), [1, 1, 3, 6]], rows: [numbers(6), [6, 1, 1]] },
  },
};

/** Writes a network as compare.ts reads it: a convolution behind "x", its mean, and Softmax. */
function write(folder: string, name: string, { nodes, weights = {} }: Case): void {
  const { json, shard } = graphModel({
    shape: [-1, SIDE, SIDE, CHANNELS],
    nodes: {
      doubled: ["Mul", ["image", "double"]],
      scaled: ["Sub", ["doubled", "unit"]],
      ...nodes,
      // Weights for each place show values in the wrong ones.
      square: ["Mul", ["x", "x"]],
      all: ["ConcatV2", ["x", "square", "last"]],
      average: ["Mean", ["all", "places"]],
      spread: ["Mul", ["average", "ten"]],
      scores: ["Softmax", ["spread"]],
    },
    weights: {
      ...weights,
      double: [[2], []],
      unit: [[1], []],
      last: [[-1], []],
      places: [[1, 2], [2]],
      ten: [[10], []],
    },
    outputs: { scores: "scores:0" },
  });
  const tfjs = join(folder, name, "tfjs");
  mkdirSync(tfjs, { recursive: true });
  writeFileSync(join(tfjs, "model.json"), JSON.stringify(json));
  writeFileSync(join(tfjs, "group1-shard1of1.bin"), shard);
  const shape = [PHOTOS, SIDE, SIDE, CHANNELS];
  const pixels = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => source.below(256));
  writeFileSync(join(folder, name, "pixels.u8"), pixels);
  const facts = { tool: "TensorFlow.js", input: { mean: 0, std: 255 }, shape, files: ["tfjs/model.json"], outputs: [] };
  writeFileSync(join(folder, name, "expected.json"), JSON.stringify(facts));
}

it("are computed within 1e-5 of TensorFlow.js", { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-graphs-"));
  try {
    for (const [name, given] of Object.entries(CASES)) write(folder, name, given);
    const rows = await compareNetworks(folder);
    expect(rows.map(({ network }) => network).sort()).toEqual(Object.keys(CASES).sort());
    expect(rows.filter(({ difference = 1 }) => !(difference < 1e-5))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
