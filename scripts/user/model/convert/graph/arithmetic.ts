/** Nodes that compute each number for itself. */
import { realFunctionNamed } from "../layers/activations.ts";
import type { Value } from "../network.ts";
import { type Constant, isConstant, type NodeCall, type NodeMapper, type Operand } from "./node-call.ts";

type Pair = (a: number, b: number) => number;

/** The operator, and what it computes of constants. */
const BINARY: Readonly<Record<string, readonly [op: string | undefined, compute: Pair]>> = {
  Add: ["ADD", (a, b) => a + b],
  AddV2: ["ADD", (a, b) => a + b],
  BiasAdd: ["ADD", (a, b) => a + b],
  Sub: ["SUB", (a, b) => a - b],
  Mul: ["MUL", (a, b) => a * b],
  RealDiv: ["DIV", (a, b) => a / b],
  Div: ["DIV", (a, b) => a / b],
  DivNoNan: [undefined, (a, b) => (b === 0 ? 0 : a / b)],
  Maximum: ["MAXIMUM", Math.max],
  Minimum: ["MINIMUM", Math.min],
  FloorDiv: [undefined, (a, b) => Math.floor(a / b)],
  FloorMod: [undefined, (a, b) => a - b * Math.floor(a / b)],
  Pow: [undefined, (a, b) => a ** b],
};

/** The function of layers/activations.ts or the operator, and what it computes of constants. */
const UNARY: Readonly<Record<string, readonly [name: string, compute?: (x: number) => number]>> = {
  Relu: ["relu", (x) => Math.max(x, 0)],
  Relu6: ["relu6", (x) => Math.min(Math.max(x, 0), 6)],
  Elu: ["elu"],
  Selu: ["selu"],
  Sigmoid: ["sigmoid", (x) => 1 / (1 + Math.exp(-x))],
  Tanh: ["tanh", Math.tanh],
  Softplus: ["softplus"],
  Exp: ["exponential", Math.exp],
  Abs: ["ABS", Math.abs],
  Neg: ["NEG", (x) => -x],
  Sqrt: ["SQRT", Math.sqrt],
  Rsqrt: ["RSQRT", (x) => 1 / Math.sqrt(x)],
  Log: ["LOG", Math.log],
};

/** The axis of both at which their shapes, written to the right, fit. */
function broadcast(call: NodeCall, a: Constant, b: Constant, compute: Pair): Constant {
  const rank = Math.max(a.shape.length, b.shape.length);
  const padded = ({ shape }: Constant) => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [left, right] = [padded(a), padded(b)];
  const shape = left.map((dim, i) => (dim === 1 ? (right[i] ?? 1) : dim));
  if (!shape.every((dim, i) => [left[i], right[i]].every((one) => one === 1 || one === dim))) {
    return call.refuse(`combines constants of shapes [${a.shape}] and [${b.shape}]`);
  }
  const at = (index: number, own: readonly number[]) => {
    let [rest, place, step] = [index, 0, 1];
    for (let axis = rank - 1; axis >= 0; axis--) {
      const dim = shape[axis] ?? 1;
      if (own[axis] !== 1) place += (rest % dim) * step;
      step *= own[axis] ?? 1;
      rest = Math.floor(rest / dim);
    }
    return place;
  };
  return call.made(shape, (index) => compute(a.values[at(index, left)] ?? 0, b.values[at(index, right)] ?? 0));
}

/** Whether a constant is one number, or one for each channel. */
function isPerChannel(value: Value, { values, shape }: Constant): boolean {
  return values.length === 1 || (values.length === value.shape.at(-1) && shape.at(-1) === values.length);
}

/** A value with as many dimensions as a constant, which loses its leading ones of one where it becomes a tensor. */
function raised(call: NodeCall, x: Operand, { shape }: Operand): Operand {
  const missing = shape.length - x.shape.length;
  return isConstant(x) || missing <= 0 ? x : call.network.reshape(x, [...Array<number>(missing).fill(1), ...x.shape]);
}

/** Applies an operator to values and constants. */
export function combine(call: NodeCall, op: string, first: Operand, second: Operand): Value {
  const { network } = call;
  const [a, b] = [raised(call, first, second), raised(call, second, first)];
  if (!isConstant(a) && isConstant(b) && isPerChannel(a, b)) return network.withConstant(op, a, b.values);
  const commutes = op !== "SUB" && op !== "DIV";
  if (commutes && isConstant(a) && !isConstant(b)) return combine(call, op, b, a);
  return network.binary(op, call.asValue(a), call.asValue(b));
}

/** x raised to a constant. */
function power(call: NodeCall, x: Value, exponent: Operand): Value {
  const { network } = call;
  const [value, ...more] = isConstant(exponent) ? exponent.values : [];
  if (more.length === 0 && value === 1) return x;
  if (more.length === 0 && value === 2) return network.binary("MUL", x, x);
  if (more.length === 0 && value === 3) return network.binary("MUL", network.binary("MUL", x, x), x);
  if (more.length === 0 && value === 0.5) return network.unary("SQRT", x);
  if (more.length === 0 && value === -0.5) return network.unary("RSQRT", x);
  return call.refuse("raises to another power than 2, 3, 1/2 or −1/2");
}

const binary =
  (op: string | undefined, compute: Pair): NodeMapper =>
  (call) => {
    const [a, b] = [call.input(0), call.input(1)];
    if (isConstant(a) && isConstant(b)) return broadcast(call, a, b, compute);
    if (call.node.op === "BiasAdd") call.attributes.requireChannelsLast();
    if (op !== undefined) return combine(call, op, a, b);
    if (call.node.op === "Pow" && !isConstant(a)) return power(call, a, b);
    return call.refuse("is not supported where it depends on the picture");
  };

/** Applies a function of the network by its name, which may be that of an operator. */
export function applyNamed(call: NodeCall, name: string, x: Value): Value {
  const named = realFunctionNamed(name);
  return named === undefined ? call.network.unary(name, x) : named(call.network, x, 2);
}

const unary =
  (name: string, compute: ((x: number) => number) | undefined): NodeMapper =>
  (call) => {
    const x = call.input(0);
    if (!isConstant(x)) return applyNamed(call, name, x);
    if (compute === undefined) return applyNamed(call, name, call.asValue(x));
    return call.made(x.shape, (index) => compute(x.values[index] ?? 0));
  };

/** A function along the last axis, over which TensorFlow's have no choice. */
const lastAxis =
  (name: string): NodeMapper =>
  (call) =>
    applyNamed(call, name, call.value(0));

/** f · x of a node that names f by an attribute. */
const leakyRelu: NodeMapper = (call) =>
  call.network.unary("LEAKY_RELU", call.value(0), { alpha: call.attributes.number("alpha", 0.2) });

/** Slopes for each channel, or for each place. */
export function prelu(call: NodeCall, x: Value, slopes: Operand): Value {
  const { tensor, shape } = call.asValue(slopes);
  const fits = shape.every((dim, i) => dim === 1 || dim === x.shape[x.shape.length - shape.length + i]);
  if (!fits) call.refuse(`has slopes of shape [${shape}] for values of shape [${x.shape}]`);
  return call.network.add("PRELU", [x.tensor, tensor], x.shape);
}

const square: NodeMapper = (call) => {
  const x = call.input(0);
  if (isConstant(x)) return call.made(x.shape, (index) => (x.values[index] ?? 0) ** 2);
  return call.network.binary("MUL", x, x);
};

const squaredDifference: NodeMapper = (call) => {
  const [a, b] = [call.input(0), call.input(1)];
  if (isConstant(a) && isConstant(b)) return broadcast(call, a, b, (x, y) => (x - y) ** 2);
  const difference = combine(call, "SUB", a, b);
  return call.network.binary("MUL", difference, difference);
};

const sum: NodeMapper = (call) => call.inputs.slice(1).reduce((a, b) => combineOrFold(call, a, b), call.input(0));

const combineOrFold = (call: NodeCall, a: Operand, b: Operand): Operand =>
  isConstant(a) && isConstant(b) ? broadcast(call, a, b, (x, y) => x + y) : combine(call, "ADD", a, b);

const clip: NodeMapper = (call) =>
  combine(call, "MINIMUM", combine(call, "MAXIMUM", call.value(0), call.input(1)), call.input(2));

const reciprocal: NodeMapper = (call) => {
  const x = call.input(0);
  if (isConstant(x)) return call.made(x.shape, (index) => 1 / (x.values[index] ?? 0));
  return combine(call, "DIV", { values: Float32Array.of(1), shape: [] }, x);
};

export const ARITHMETIC: Readonly<Record<string, NodeMapper>> = {
  ...Object.fromEntries(Object.entries(BINARY).map(([op, [name, compute]]) => [op, binary(name, compute)])),
  ...Object.fromEntries(Object.entries(UNARY).map(([op, [name, compute]]) => [op, unary(name, compute)])),
  AddN: sum,
  SquaredDifference: squaredDifference,
  Square: square,
  Reciprocal: reciprocal,
  ClipByValue: clip,
  LeakyRelu: leakyRelu,
  Prelu: (call) => prelu(call, call.value(0), call.input(1)),
  Softmax: lastAxis("softmax"),
  LogSoftmax: lastAxis("log_softmax"),
};
