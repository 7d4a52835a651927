/** Nodes that multiply by weights, also those into which the converter has fused a bias and an activation. */
import type { ConvOptions } from "../../../../../worker/tflite/options.ts";
import { padded } from "../layers/shapes.ts";
import { convolve, eachChannel, multiply, transpose } from "../layers/weighted.ts";
import type { Value } from "../network.ts";
import { applyNamed, prelu } from "./arithmetic.ts";
import type { NodeCall, NodeMapper } from "./node-call.ts";
import { windowAt } from "./windows.ts";

/** Where a node has its weights, and behind them what is fused into it. */
const WEIGHTS = 1;
const FUSED = 2;

/** The activations that are fused, by the names of layers/activations.ts. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  Relu: "relu",
  Relu6: "relu6",
  Elu: "elu",
  Sigmoid: "sigmoid",
  Tanh: "tanh",
};

/** What follows on the product in a fused node: the names of operators, of which some have a further input. */
interface Fused {
  /** The tensor of as many zeros as there are filters if none is fused. */
  readonly bias: (filters: number) => number;
  readonly activate: (x: Value) => Value;
}

function fusedInto(call: NodeCall): Fused {
  const ops = call.attributes.texts("fused_ops");
  const hasBias = ops[0] === "BiasAdd";
  const [activation = "", ...more] = ops.slice(hasBias ? 1 : 0);
  const slopes = FUSED + (hasBias ? 1 : 0);
  const known = Object.hasOwn(ACTIVATIONS, activation) ? ACTIVATIONS[activation] : undefined;
  const isKnown = activation === "" || activation === "LeakyRelu" || activation === "Prelu" || known !== undefined;
  if (!isKnown || more.length > 0) call.refuse(`has ${JSON.stringify(ops).slice(0, 60)} fused into it`);
  return {
    bias(filters) {
      if (!hasBias) return call.network.constant(new Float32Array(filters), [filters]);
      const { values } = call.constant(FUSED, "biases");
      if (values.length !== filters) call.refuse(`has ${values.length} biases for ${filters} filters`);
      return call.network.constant(values, [filters]);
    },
    activate(x) {
      if (activation === "LeakyRelu") {
        return call.network.unary("LEAKY_RELU", x, { alpha: call.attributes.number("leakyrelu_alpha", 0.2) });
      }
      if (activation === "Prelu") return prelu(call, x, call.input(slopes));
      return known === undefined ? x : applyNamed(call, known, x);
    },
  };
}

/** A kernel [height, width, channels, filters of each channel or in all]. */
function kernelOf(call: NodeCall) {
  const { values, shape } = call.constant(WEIGHTS, "weights");
  const [height, width, channels, filters, ...more] = shape;
  if (height === undefined || width === undefined || !channels || !filters || more.length > 0) {
    return call.refuse(`has weights of shape [${shape}]`);
  }
  return { values, height, width, channels, filters };
}

/** The input with the margins that the node states, and the options of the convolution. */
function prepared(call: NodeCall): readonly [input: Value, options: ConvOptions] {
  const { padding, stride, margins } = windowAt(call);
  const input = padded(call.network, call.image(), margins);
  return [input, { padding, stride, dilation: call.attributes.pair("dilations"), activation: "NONE" }];
}

const convolution: NodeMapper = (call) => {
  const { values, height, width, channels, filters } = kernelOf(call);
  const [input, options] = prepared(call);
  const given = input.shape[3] ?? 0;
  if (given % channels !== 0 || filters % (given / channels) !== 0) {
    call.refuse(`has weights for ${channels} channels and ${filters} filters, but ${given} channels are given`);
  }
  const { bias, activate } = fusedInto(call);
  const kernel = { values, shape: [height, width, channels, filters] };
  return activate(convolve(call.network, input, kernel, bias(filters), options));
};

const depthwise: NodeMapper = (call) => {
  const { values, height, width, channels, filters: each } = kernelOf(call);
  const [input, options] = prepared(call);
  if (input.shape[3] !== channels) {
    call.refuse(`has weights for ${channels} channels, but ${input.shape[3]} are given`);
  }
  const { bias, activate } = fusedInto(call);
  const filters = channels * each;
  const kernel = { values, shape: [height, width, 1, filters] };
  return activate(eachChannel(call.network, input, kernel, bias(filters), options));
};

const product: NodeMapper = (call) => {
  const { values, shape } = call.constant(WEIGHTS, "weights");
  const [rows = 0, columns = 0, ...more] = shape;
  const input = call.value(0);
  if (call.attributes.boolean("transpose_a")) call.refuse("transposes what depends on the picture");
  const isTransposed = call.attributes.boolean("transpose_b");
  const inputs = isTransposed ? columns : rows;
  if (input.shape.length !== 2 || more.length > 0 || inputs !== input.shape[1] || values.length === 0) {
    call.refuse(`multiplies [${input.shape}] by [${shape}]`);
  }
  const { bias, activate } = fusedInto(call);
  const weights = isTransposed ? values : transpose(values, rows, columns);
  return activate(multiply(call.network, input, weights, bias(isTransposed ? rows : columns)));
};

export const WEIGHTED: Readonly<Record<string, NodeMapper>> = {
  Conv2D: convolution,
  _FusedConv2D: convolution,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  MatMul: product,
  _FusedMatMul: product,
};
