/** Which range of pixels a network is taken to expect, by what it begins with. */
import { expect, it } from "vitest";
import { usualNormalization } from "../../../worker/model/normalization.ts";
import { rangeOf } from "../../../worker/model/notes.ts";
import type { Graph, Operator, Tensor } from "../../../worker/tflite/graph.ts";

const SHAPE = [1, 32, 32, 3];
const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
const tensor = (index: number, shape: readonly number[], values?: readonly number[], name = ""): Tensor => ({
  index,
  name,
  shape,
  open: [],
  type: "float32",
  quantization: undefined,
  data: values && bytesOf(values),
});

/** Numbers from −1 to 1 that are the same in every run. */
function noise(count: number): number[] {
  let state = 7;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  });
}

/** A network that scales its input by the constants, and begins with a convolution of 32 filters. */
function network(
  convolution: { readonly largest: number; readonly mean?: number; readonly name?: string },
  scales: readonly (readonly [op: string, by: number])[] = [],
): Graph {
  const weights = noise(32 * 27).map((value) => value * convolution.largest);
  const bias = Array.from({ length: 32 }, (_, i) => {
    const sum = weights.slice(27 * i, 27 * i + 27).reduce((a, b) => a + b, 0);
    return 0.01 * ((i * 7) % 5) - (convolution.mean ?? 0) * sum;
  });
  const tensors = [tensor(0, SHAPE)];
  const add = (shape: readonly number[], values?: readonly number[], name?: string) =>
    tensors.push(tensor(tensors.length, shape, values, name)) - 1;
  const operators: Operator[] = [];
  let last = 0;
  const apply = (op: string, ...constants: number[]) => {
    const output = add(SHAPE);
    operators.push({
      index: operators.length,
      op,
      inputs: [last, ...constants],
      outputs: [output],
      options: undefined,
    });
    last = output;
  };
  for (const [op, by] of scales) apply(op, add([1], [by]));
  apply("CONV_2D", add([32, 3, 3, 3], weights, convolution.name), add([32], bias));
  return { tensors, operators, inputs: [0], outputs: [last], metadata: new Map() };
}

const seen = (graph: Graph, layout: "rgb" | "grey" | "planes" = "rgb") => {
  const { normalization, guessed } = usualNormalization(graph, layout) ?? {};
  return `${rangeOf({ type: "float32", normalization })}${guessed ? "?" : ""}`;
};

it("is 0…255 where a scale was merged into the first convolution", () => {
  expect(seen(network({ largest: 0.2 / 255 }))).toBe("0…255");
  expect(seen(network({ largest: 3.6 / 255 }))).toBe("0…255");
  expect(seen(network({ largest: 3.6 / 127.5, mean: 127.5 }))).toBe("0…255");
  expect(seen(network({ largest: 0.045 }))).toBe("0…1?");
});

it("is guessed as most networks of a kind are trained", () => {
  expect(seen(network({ largest: 0.2 }))).toBe("0…1?");
  expect(seen(network({ largest: 2.5 }))).toBe("0…1?");
  expect(seen(network({ largest: 2.5, name: "MobilenetV1/Conv2d_0/weights" }))).toBe("-1…1?");
  expect(seen(network({ largest: 2.5, name: "sequential/mobilenetv2_1.00_224/Conv1/Conv2D" }))).toBe("0…1?");
  expect(seen(network({ largest: 0.2 }), "planes")).toBe("-2.12…2.25?");
  expect(seen(network({ largest: 0.2, name: "model/tf.nn.convolution/convolution" }))).toBe("-2.12…2.25?");
});

it("is guessed for grey networks by whether a merged batch normalisation subtracts a mean", () => {
  expect(seen(network({ largest: 0.2 }), "grey")).toBe("0…1?");
  expect(seen(network({ largest: 2.5, mean: 0.45 }), "grey")).toBe("0…1?");
  expect(seen(network({ largest: 2.5 }), "grey")).toBe("-1…1?");
});

it("is −1…1 for Teachable Machine", () => {
  expect(seen(network({ largest: 2.02, name: "sequential_12/sequential_11/dense_Dense5/MatMul" }))).toBe("-1…1");
});

it.each([
  ["0…1", 1 / 255, -128, "0…1"],
  ["-1…1", 2 / 255, 0, "-1…1"],
  ["-0.98…0.95, which pictures gave", 1.93 / 255, 1, "-1…1"],
  ["-2.07…2.65, as onnx2tf writes ImageNet's", 0.018524136, -16, "-2.12…2.25"],
  ["-1.8…2.2, which pictures gave", 4 / 255, -13, "-2.12…2.25"],
  ["0…255", 1, -128, "0…255"],
])("is that for which a network is quantised: %s", (_, scale, zeroPoint, range) => {
  const quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
  const quantised: Tensor = { ...tensor(1, SHAPE), type: "int8", quantization };
  const quantize: Operator = { index: 0, op: "QUANTIZE", inputs: [0], outputs: [1], options: undefined };
  const graph = { tensors: [tensor(0, SHAPE), quantised], operators: [quantize], inputs: [0], outputs: [1] };
  expect(seen({ ...graph, metadata: new Map() })).toBe(range);
});

it.each([
  ["ImageNet's", 0.018524136, -16, "-2.12…2.25"],
  ["0…1", 1 / 255, -128, "none"],
  ["-1…1", 2 / 255, 0, "none"],
  ["0…255", 1, -128, "none"],
])("of an int8 input is stated by its scale and zero point for ImageNet's alone: %s", (_, scale, zeroPoint, range) => {
  const quantization = { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
  for (const [type, expected] of [
    ["int8", range],
    ["uint8", "none"],
  ] as const) {
    const input: Tensor = { ...tensor(0, SHAPE), type, quantization };
    const graph = { tensors: [input], operators: [], inputs: [0], outputs: [0], metadata: new Map() };
    const usual = usualNormalization(graph, "rgb");
    expect(usual === undefined ? "none" : rangeOf({ type, ...usual })).toBe(expected);
  }
});

it.each([
  ["Rescaling(1/255)", [["MUL", 1 / 255]], "0…255"],
  [
    "Rescaling(1/127.5, offset=-1)",
    [
      ["MUL", 1 / 127.5],
      ["ADD", -1],
    ],
    "0…255",
  ],
  ["DIV by 255", [["DIV", 255]], "0…255"],
  ["a mean of pixels", [["SUB", 120]], "0…255"],
  [
    "TensorFlow Hub's 0…1 to −1…1",
    [
      ["MUL", 2],
      ["SUB", 1],
    ],
    "0…1",
  ],
  [
    "mean and deviation of 0…1",
    [
      ["SUB", 0.485],
      ["DIV", 0.229],
    ],
    "0…1",
  ],
  ["nothing to the range", [["MUL", 1]], "0…1?"],
] as const)("is seen in %s", (_, scales, range) => {
  expect(seen(network({ largest: 2.5 }, scales))).toBe(range);
});
