/**
 * Writes a TFLite network as a tfjs GraphModel, with the fused nodes that tensorflowjs_converter writes, all in float32:
 * what stock tfjs has for these networks. Quantised weights are dequantised, since its kernels know no others.
 */
import { integers, realValues } from "../../../../worker/inference/constants.ts";
import { type KnownOperator, known } from "../../../../worker/inference/operators/registry.ts";
import type { Activation, Graph, Tensor } from "../../../../worker/tflite/graph.ts";
import { activationOf, outputLast, refuse, tensorOf } from "./graph.ts";

type Attribute = Record<string, unknown>;
interface Node {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
}

export interface GraphModel {
  /** What tfjs calls model.json, with format, topology and the list of weights. */
  readonly json: string;
  readonly weights: Uint8Array<ArrayBuffer>;
}

const ACTIVATION: { readonly [name in Activation]?: readonly string[] } = {
  NONE: [],
  RELU: ["Relu"],
  RELU6: ["Relu6"],
};

const text = (value: string) => ({ s: Buffer.from(value).toString("base64") });
const list = (values: readonly number[]) => ({ list: { i: values.map(String) } });
const FLOAT = { type: "DT_FLOAT" };

class Writer {
  readonly nodes: Node[] = [];
  readonly #specs: unknown[] = [];
  readonly #data: Uint8Array[] = [];
  readonly #graph: Graph;
  /** The names of tensors that a node computes. */
  readonly #names = new Map<number, string>();
  readonly #folded = new Map<number, Tensor>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  constant(
    name: string,
    values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
    shape: readonly number[],
  ): string {
    const dtype = values instanceof Int32Array ? "int32" : "float32";
    this.#specs.push({ name, shape, dtype });
    this.#data.push(new Uint8Array(values.buffer));
    const type = { type: dtype === "int32" ? "DT_INT32" : "DT_FLOAT" };
    const dims = shape.map((size) => ({ size: String(size) }));
    const value = { tensor: { dtype: type.type, tensorShape: { dim: dims } } };
    this.nodes.push({ name, op: "Const", attr: { dtype: type, value } });
    return name;
  }

  /** The node that computes an operator's output. @returns Its name. */
  add(
    operator: KnownOperator,
    op: string,
    input: readonly string[],
    attr: Readonly<Record<string, Attribute>>,
  ): string {
    const name = `op${operator.index}`;
    this.nodes.push({ name, op, input, attr: { T: FLOAT, ...attr } });
    this.#names.set(operator.outputs[0], name);
    return name;
  }

  /** A node of this name, which is read by the next of the same operator. */
  step(name: string, op: string, input: readonly string[], attr: Readonly<Record<string, Attribute>>): string {
    this.nodes.push({ name, op, input, attr: { T: FLOAT, ...attr } });
    return name;
  }

  same(operator: KnownOperator): string {
    const source = this.#graph.tensors[operator.inputs[0]];
    if (source?.data === undefined) {
      const name = this.input(operator, 0);
      this.#names.set(operator.outputs[0], name);
      return name;
    }
    this.#folded.set(operator.outputs[0], source);
    return "";
  }

  placeholder(index: number): void {
    const dims = tensorOf(this.#graph, index).shape.map((size) => ({ size: String(size) }));
    this.nodes.push({ name: "input", op: "Placeholder", attr: { dtype: FLOAT, shape: { shape: { dim: dims } } } });
    this.#names.set(index, "input");
  }

  /** The node of an input; a constant becomes one. */
  input(operator: KnownOperator, position: number): string {
    const index = operator.inputs[position];
    const name = this.#names.get(index);
    if (name !== undefined) return name;
    const tensor = tensorOf(this.#graph, index);
    const constant = this.constant(`tensor${index}`, this.real(tensor), tensor.shape);
    this.#names.set(index, constant);
    return constant;
  }

  real(tensor: Tensor): Float32Array<ArrayBuffer> {
    return realValues(this.#folded.get(tensor.index) ?? tensor);
  }

  finish(output: number): GraphModel {
    this.nodes.push({ name: "output", op: "Identity", input: [this.#names.get(output) ?? ""], attr: { T: FLOAT } });
    const json = JSON.stringify({
      format: "graph-model",
      modelTopology: { node: this.nodes, library: {}, versions: {} },
      weightsManifest: [{ paths: ["weights.bin"], weights: this.#specs }],
    });
    return { json, weights: new Uint8Array(Buffer.concat(this.#data)) };
  }
}

function convolution(
  writer: Writer,
  graph: Graph,
  operator: Extract<KnownOperator, { op: "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED" }>,
): string {
  const name = `op${operator.index}`;
  const output = tensorOf(graph, operator.outputs[0]);
  const weights = tensorOf(graph, operator.inputs[1]);
  const activation = ACTIVATION[activationOf(operator.options.activation, output)];
  if (activation === undefined) refuse(operator, "a tfjs GraphModel");
  const bias = operator.inputs[2] ?? -1;
  const fused = {
    data_format: text("NHWC"),
    explicit_paddings: { list: {} },
    fused_ops: { list: { s: ["BiasAdd", ...activation].map((op) => text(op).s) } },
    num_args: { i: "1" },
    epsilon: { f: 0 },
  };
  const channels = operator.op === "DEPTHWISE_CONV_2D" ? weights.shape[3] : weights.shape[0];
  const biasValues = bias === -1 ? new Float32Array(channels) : writer.real(tensorOf(graph, bias));
  const biasName = writer.constant(`${name}/bias`, biasValues, [channels]);
  const values = writer.real(weights);
  if (operator.op === "FULLY_CONNECTED") {
    // As a 1×1 convolution, which is faster in tfjs than the MatMul that its converter would write.
    const inputs = weights.shape[1];
    const filter = writer.constant(`${name}/filter`, outputLast(values, channels), [1, 1, inputs, channels]);
    const inner = writer.constant(`${name}/inner`, Int32Array.of(1, 1, 1, inputs), [4]);
    const outer = writer.constant(`${name}/outer`, Int32Array.of(1, channels), [2]);
    const rows = writer.step(`${name}/rows`, "Reshape", [writer.input(operator, 0), inner], {});
    const window = { strides: list([1, 1, 1, 1]), dilations: list([1, 1, 1, 1]), padding: text("VALID") };
    const sums = writer.step(`${name}/sums`, "_FusedConv2D", [rows, filter, biasName], { ...window, ...fused });
    return writer.add(operator, "Reshape", [sums, outer], {});
  }
  const { stride, dilation, padding } = operator.options;
  const window = {
    strides: list([1, ...stride, 1]),
    dilations: list([1, ...dilation, 1]),
    padding: text(padding.toUpperCase()),
  };
  const [first, height, width, last] = weights.shape;
  if (operator.op === "CONV_2D") {
    const filter = writer.constant(`${name}/filter`, outputLast(values, channels), [height, width, last, first]);
    return writer.add(operator, "_FusedConv2D", [writer.input(operator, 0), filter, biasName], { ...window, ...fused });
  }
  const inputs = tensorOf(graph, operator.inputs[0]).shape[3];
  const filter = writer.constant(`${name}/filter`, values, [height, width, inputs, last / inputs]);
  const from = [writer.input(operator, 0), filter, biasName];
  return writer.add(operator, "FusedDepthwiseConv2dNative", from, { ...window, ...fused });
}

function node(writer: Writer, graph: Graph, operator: KnownOperator): string {
  const output = tensorOf(graph, operator.outputs[0]);
  const input = (position = 0) => writer.input(operator, position);
  const shape = (name: string, values: readonly number[]) =>
    writer.constant(`op${operator.index}/${name}`, Int32Array.from(values), [values.length]);
  switch (operator.op) {
    case "CONV_2D":
    case "DEPTHWISE_CONV_2D":
    case "FULLY_CONNECTED":
      return convolution(writer, graph, operator);
    case "AVERAGE_POOL_2D":
      return writer.add(operator, "AvgPool", [input()], {
        ksize: list([1, ...operator.options.size, 1]),
        strides: list([1, ...operator.options.stride, 1]),
        padding: text(operator.options.padding.toUpperCase()),
        data_format: text("NHWC"),
      });
    case "MEAN": {
      const axes = shape("axes", integers(tensorOf(graph, operator.inputs[1])));
      return writer.add(operator, "Mean", [input(), axes], { keep_dims: { b: operator.options.keepDims } });
    }
    case "PAD": {
      const paddings = integers(tensorOf(graph, operator.inputs[1]));
      const constant = writer.constant(`op${operator.index}/paddings`, Int32Array.from(paddings), [
        paddings.length / 2,
        2,
      ]);
      return writer.add(operator, "Pad", [input(), constant], {});
    }
    case "ADD":
      if (operator.options.activation !== "NONE") refuse(operator, "a tfjs GraphModel");
      return writer.add(operator, "AddV2", [input(0), input(1)], {});
    case "RESHAPE":
    case "SQUEEZE":
      return writer.add(operator, "Reshape", [input(), shape("shape", output.shape)], {});
    case "SOFTMAX":
      return writer.add(operator, "Softmax", [input()], {});
    case "QUANTIZE":
    case "DEQUANTIZE":
      return writer.same(operator);
    default:
      return refuse(operator, "a tfjs GraphModel");
  }
}

/** Its input takes real numbers [1, height, width, 3], its output "output" gives them. */
export function toGraphModel(graph: Graph): GraphModel {
  const writer = new Writer(graph);
  writer.placeholder(graph.inputs[0]);
  for (const each of graph.operators) {
    const operator = known(each) ?? refuse(each, "a tfjs GraphModel");
    node(writer, graph, operator);
  }
  return writer.finish(graph.outputs[0]);
}
