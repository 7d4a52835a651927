/** Nodes about shapes: those that change one, and those that compute one, which is known for one picture. */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import { type Margins, MOST_COPIES, padded, repeat } from "../layers/shapes.ts";
import { isConstant, type NodeCall, type NodeMapper } from "./node-call.ts";
import { reshaped } from "./parts.ts";

const reshape: NodeMapper = (call) => {
  const x = call.input(0);
  const target = call.integers(1, "shapes");
  const rest = sizeOf(x.shape) / sizeOf(target.filter((dim) => dim !== -1));
  const shape = target.map((dim) => (dim === -1 ? rest : dim));
  if (target.filter((dim) => dim === -1).length > 1 || !shape.every((dim) => Number.isInteger(dim) && dim >= 0)) {
    call.refuse(`turns shape [${x.shape}] into [${target}], which does not fit`);
  }
  return reshaped(call, x, shape);
};

const squeeze: NodeMapper = (call) => {
  const x = call.input(0);
  const axes = call.attributes.integers("squeeze_dims").map((axis) => call.axis(axis, x.shape.length));
  const isGone = (dim: number, axis: number) => (axes.length === 0 ? dim === 1 : axes.includes(axis));
  return reshaped(
    call,
    x,
    x.shape.filter((dim, axis) => !isGone(dim, axis)),
  );
};

const expandDims: NodeMapper = (call) => {
  const x = call.input(0);
  const axis = call.axis(call.integer(1, "axes"), x.shape.length + 1);
  return reshaped(call, x, x.shape.toSpliced(axis, 0, 1));
};

/** A list of whole numbers. */
const list = (values: readonly number[]) => ({ values: Float32Array.from(values), shape: [values.length] });
const single = (value: number) => ({ values: Float32Array.of(value), shape: [] });

const fill: NodeMapper = (call) => {
  const [value = 0] = call.constant(1, "numbers").values;
  return call.made(call.integers(0, "shapes"), () => value);
};

const range: NodeMapper = (call) => {
  const [start, limit, step] = [0, 1, 2].map((i) => call.integer(i, "bounds")) as [number, number, number];
  if (step === 0) call.refuse("has a step of 0");
  return call.made([Math.max(0, Math.ceil((limit - start) / step))], (i) => start + i * step);
};

function marginsOf(call: NodeCall, rank: number): readonly Margins[] {
  const sides = call.integers(1, "margins");
  const fits = sides.length === 2 * rank && sides.every((margin) => margin >= 0 && margin <= 1 << 16);
  if (!fits) call.refuse(`has margins [${sides.slice(0, 10)}] for ${rank} dimensions`);
  return Array.from({ length: rank }, (_, axis): Margins => [sides[2 * axis] ?? 0, sides[2 * axis + 1] ?? 0]);
}

const pad: NodeMapper = (call) => {
  const x = call.value(0);
  return padded(call.network, x, marginsOf(call, x.shape.length));
};

const padWith: NodeMapper = (call) => {
  const x = call.value(0);
  const [value = 0, ...more] = call.constant(2, "values for the margins").values;
  if (more.length > 0) call.refuse("has several values for the margins");
  const margins = marginsOf(call, x.shape.length);
  if (value === 0) return padded(call.network, x, margins);
  return padded(call.network, x, margins, ["PADV2", [call.network.constant(Float32Array.of(value), [1])]]);
};

const mirrorPad: NodeMapper = (call) => {
  const x = call.value(0);
  const withEdge = call.attributes.text("mode", "REFLECT") === "SYMMETRIC";
  return padded(call.network, x, marginsOf(call, x.shape.length), ["MIRROR_PAD", [], { withEdge }]);
};

/** A change of size at the front, which worker/inference/rewrites/front.ts drops, or an enlargement by whole factors. */
const resize: NodeMapper = (call) => {
  const x = call.value(0);
  const [height = 0, width = 0] = call.integers(1, "sizes");
  const [, given = 0, across = 0, channels = 0] = x.shape;
  if (x.shape.length !== 4 || height < 1 || width < 1) call.refuse(`resizes [${x.shape}] to [${height}, ${width}]`);
  if (call.network.isAtFront(x)) {
    const size = call.network.integers([height, width]);
    return call.network.add("RESIZE_BILINEAR", [x.tensor, size], [1, height, width, channels]);
  }
  const [down, right] = [height / given, width / across];
  const isCopied = [down, right].every((factor) => Number.isInteger(factor) && factor <= MOST_COPIES);
  if (isCopied && down * right === 1) return x;
  if (call.node.op !== "ResizeNearestNeighbor" || !isCopied || call.attributes.boolean("align_corners")) {
    call.refuse(
      "changes the size of values in the middle of the network, as networks for segmentation, detection or depth do",
      "The labeler runs classifiers, which give one value for each class.",
    );
  }
  return repeat(call.network, repeat(call.network, x, 2, right), 1, down);
};

/** Numbers stay as they are, except that constants are cut off to whole ones. */
const cast: NodeMapper = (call) => {
  const x = call.input(0);
  const isWhole = /^DT_(U?INT|BOOL)/.test(call.attributes.type("DstT"));
  if (!isConstant(x)) return isWhole ? call.refuse("makes whole numbers of values") : x;
  return isWhole ? call.made(x.shape, (index) => Math.trunc(x.values[index] ?? 0)) : x;
};

const isIdentity: NodeMapper = (call) => call.input(0);

export const SHAPES: Readonly<Record<string, NodeMapper>> = {
  Reshape: reshape,
  Squeeze: squeeze,
  ExpandDims: expandDims,
  Shape: (call) => list(call.input(0).shape),
  Rank: (call) => single(call.input(0).shape.length),
  Size: (call) => single(sizeOf(call.input(0).shape)),
  Fill: fill,
  Range: range,
  ZerosLike: (call) => call.made(call.input(0).shape, () => 0),
  OnesLike: (call) => call.made(call.input(0).shape, () => 1),
  Pad: pad,
  PadV2: padWith,
  MirrorPad: mirrorPad,
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  Cast: cast,
  Identity: isIdentity,
  IdentityN: (call) => call.inputs,
  StopGradient: isIdentity,
  PlaceholderWithDefault: isIdentity,
  Snapshot: isIdentity,
  EnsureShape: isIdentity,
};
