/**
 * Writes a TFLite network as ONNX, as tf2onnx does it: float networks as they are, quantised ones with QuantizeLinear and
 * DequantizeLinear around each operator, which onnxruntime turns into its integer kernels. Planes instead of pixels
 * (NCHW), from the input on, since onnxruntime has no other convolutions. Fields: onnx/onnx.proto.
 */
import { integers, realValues } from "../../../../worker/inference/constants.ts";
import { type KnownOperator, known } from "../../../../worker/inference/operators/registry.ts";
import type { Graph, Tensor } from "../../../../worker/tflite/graph.ts";
import { activationOf, paddingOf, quantizationOf, refuse, tensorOf } from "./graph.ts";
import { encode, type Field, type Message } from "./protobuf.ts";

type Convolution = Extract<KnownOperator, { op: "CONV_2D" | "DEPTHWISE_CONV_2D" | "FULLY_CONNECTED" }>;
type Values =
  | Float32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>;

const OPSET = 17;
const IR_VERSION = 8;
const TYPE = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 };

const typeOf = (values: Values): number =>
  values instanceof Float32Array
    ? TYPE.float
    : values instanceof Uint8Array
      ? TYPE.uint8
      : values instanceof Int8Array
        ? TYPE.int8
        : values instanceof Int32Array
          ? TYPE.int32
          : TYPE.int64;

const message = (fields: Message): Field => ({ message: fields });
const ints = (name: string, values: readonly number[]) => message({ 1: name, 8: values, 20: 7 });
const int = (name: string, value: number) => message({ 1: name, 3: value, 20: 2 });

/** [batch, height, width, channels] → [batch, channels, height, width]. */
const planar = (shape: readonly number[]): number[] =>
  shape.length === 4 ? [shape[0], shape[3], shape[1], shape[2]] : [...shape];

const value = (name: string, type: number, shape: readonly number[]) =>
  message({
    1: name,
    2: message({ 1: message({ 1: type, 2: message({ 1: shape.map((size) => message({ 1: size })) }) }) }),
  });

/** Elements in another order of the dimensions. */
function transpose<T extends Values>(values: T, shape: readonly number[], order: readonly number[]): T {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const to = order.map((axis) => ({ size: shape[axis], stride: strides[axis] }));
  const result = values.slice() as T;
  let next = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === to.length) {
      result[next++] = values[from];
      return;
    }
    for (let i = 0; i < to[axis].size; i++) walk(axis + 1, from + i * to[axis].stride);
  };
  walk(0, 0);
  return result;
}

class Writer {
  readonly graph: Graph;
  readonly #nodes: Field[] = [];
  readonly #constants: Field[] = [];
  readonly #names = new Map<number, string>();
  readonly #folded = new Map<number, Tensor>();
  #count = 0;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  constant(values: Values, shape: readonly number[]): string {
    const name = `constant${this.#constants.length}`;
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push(message({ 1: shape, 2: typeOf(values), 8: name, 9: data }));
    return name;
  }

  /** @returns The name of its only output. */
  node(op: string, inputs: readonly string[], attributes: readonly Field[] = []): string {
    const output = `value${this.#count++}`;
    this.#nodes.push(message({ 1: inputs, 2: output, 3: `node${this.#count}`, 4: op, 5: attributes }));
    return output;
  }

  /** Scale and zero point as inputs of a node; bytes are unsigned in activations. */
  #step({ type }: Tensor, { scale, zeroPoint }: { scale: number; zeroPoint: number }): [string, string] {
    const zero = Uint8Array.of(zeroPoint + (type === "int8" ? 128 : 0));
    return [this.constant(Float32Array.of(scale), []), this.constant(zero, [])];
  }

  /** The real values of a tensor are called `name`, or what they become when it is quantised. */
  set(index: number, name: string): void {
    const tensor = tensorOf(this.graph, index);
    const quantization = quantizationOf(tensor);
    if (quantization === undefined) {
      this.#names.set(index, name);
      return;
    }
    const step = this.#step(tensor, quantization);
    this.#names.set(index, this.node("DequantizeLinear", [this.node("QuantizeLinear", [name, ...step]), ...step]));
  }

  /** The output of an operator that changes no number, or only its type. */
  same(operator: KnownOperator): void {
    const source = tensorOf(this.graph, operator.inputs[0]);
    if (source.data !== undefined) this.#folded.set(operator.outputs[0], source);
    else this.#names.set(operator.outputs[0], this.input(operator, 0));
  }

  input(operator: KnownOperator, position: number): string {
    const name = this.#names.get(operator.inputs[position]);
    return name ?? refuse(operator, "ONNX");
  }

  /** The network's input: real numbers, or bytes. */
  begin(): Field {
    const [index] = this.graph.inputs;
    const tensor = tensorOf(this.graph, index);
    const quantization = quantizationOf(tensor);
    const name =
      quantization === undefined
        ? "input"
        : this.node("DequantizeLinear", ["input", ...this.#step(tensor, quantization)]);
    this.#names.set(index, name);
    return value("input", quantization === undefined ? TYPE.float : TYPE.uint8, planar(tensor.shape));
  }

  /** Weights in ONNX's order; those that are quantised behind a DequantizeLinear. */
  weights(tensor: Tensor, order: readonly number[], axis: number): string {
    const source = this.#folded.get(tensor.index) ?? tensor;
    const shape = order.map((from) => tensor.shape[from]);
    const { quantization, data } = source;
    if (quantization === undefined || data === undefined || source.type === "float16") {
      return this.constant(transpose(realValues(source), tensor.shape, order), shape);
    }
    const bytes = source.type === "int8" ? new Int8Array(data) : new Uint8Array(data);
    const zero =
      source.type === "int8" ? Int8Array.from(quantization.zeroPoint) : Uint8Array.from(quantization.zeroPoint);
    const perChannel = quantization.scale.length > 1;
    const steps = perChannel ? [quantization.scale.length] : [];
    return this.node(
      "DequantizeLinear",
      [
        this.constant(transpose(bytes, tensor.shape, order), shape),
        this.constant(Float32Array.from(quantization.scale), steps),
        this.constant(zero, steps),
      ],
      perChannel ? [int("axis", axis)] : [],
    );
  }

  bias(tensor: Tensor): string {
    const { quantization, data, type, shape } = tensor;
    if (quantization === undefined || data === undefined || type !== "int32") {
      return this.constant(realValues(this.#folded.get(tensor.index) ?? tensor), shape);
    }
    const sums = new Int32Array(data.slice().buffer);
    const perChannel = quantization.scale.length > 1;
    const steps = perChannel ? [quantization.scale.length] : [];
    const inputs = [this.constant(sums, shape), this.constant(Float32Array.from(quantization.scale), steps)];
    return this.node("DequantizeLinear", inputs, perChannel ? [int("axis", 0)] : []);
  }

  finish(input: Field): Uint8Array<ArrayBuffer> {
    const [index] = this.graph.outputs;
    const { shape } = tensorOf(this.graph, index);
    const output = this.#names.get(index) ?? "";
    return encode({
      1: IR_VERSION,
      2: "edge-labeler bench",
      7: message({
        1: this.#nodes,
        2: "network",
        5: this.#constants,
        11: input,
        12: value(output, TYPE.float, planar(shape)),
      }),
      8: message({ 2: OPSET }),
    });
  }
}

/** A quantised output that holds no more than its activation allows needs none. */
function activate(writer: Writer, operator: Convolution, name: string): string {
  const output = tensorOf(writer.graph, operator.outputs[0]);
  const { activation } = operator.options;
  if (activation === "NONE" || (quantizationOf(output) && activationOf("NONE", output) === activation)) return name;
  if (activation === "RELU") return writer.node("Relu", [name]);
  if (activation !== "RELU6") return refuse(operator, "ONNX");
  const bounds = [0, 6].map((bound) => writer.constant(Float32Array.of(bound), []));
  return writer.node("Clip", [name, ...bounds]);
}

function convolution(writer: Writer, operator: Convolution): string {
  const [x, w] = operator.inputs.map((index) => tensorOf(writer.graph, index));
  const bias = operator.inputs[2] ?? -1;
  const biases = bias === -1 ? [] : [writer.bias(tensorOf(writer.graph, bias))];
  const input = writer.input(operator, 0);
  if (operator.op === "FULLY_CONNECTED") {
    return writer.node("Gemm", [input, writer.weights(w, [0, 1], 0), ...biases], [int("transB", 1)]);
  }
  const deep = operator.op === "CONV_2D";
  const filter = writer.weights(w, deep ? [0, 3, 1, 2] : [3, 0, 1, 2], 0);
  const output = tensorOf(writer.graph, operator.outputs[0]);
  const [[top, bottom], [left, right]] = paddingOf(x, output, w.shape.slice(1, 3), operator.options);
  return writer.node(
    "Conv",
    [input, filter, ...biases],
    [
      ints("strides", operator.options.stride),
      ints("dilations", operator.options.dilation),
      ints("pads", [top, left, bottom, right]),
      ints("kernel_shape", w.shape.slice(1, 3)),
      int("group", deep ? 1 : x.shape[3]),
    ],
  );
}

function averagePool(writer: Writer, operator: Extract<KnownOperator, { op: "AVERAGE_POOL_2D" }>): string {
  const input = writer.input(operator, 0);
  const x = tensorOf(writer.graph, operator.inputs[0]);
  const { size, stride } = operator.options;
  const output = tensorOf(writer.graph, operator.outputs[0]);
  if (output.shape[1] === 1 && output.shape[2] === 1 && size[0] === x.shape[1] && size[1] === x.shape[2]) {
    return writer.node("GlobalAveragePool", [input]);
  }
  const [[top, bottom], [left, right]] = paddingOf(x, output, size, operator.options);
  const window = [ints("kernel_shape", size), ints("strides", stride), ints("pads", [top, left, bottom, right])];
  return writer.node("AveragePool", [input], window);
}

function node(writer: Writer, operator: KnownOperator): string {
  const { graph } = writer;
  const output = tensorOf(graph, operator.outputs[0]);
  const reshape = (name: string) => {
    const shape = BigInt64Array.from(planar(output.shape), BigInt);
    return writer.node("Reshape", [name, writer.constant(shape, [shape.length])]);
  };
  switch (operator.op) {
    case "CONV_2D":
    case "DEPTHWISE_CONV_2D":
    case "FULLY_CONNECTED":
      return activate(writer, operator, convolution(writer, operator));
    case "AVERAGE_POOL_2D":
      return averagePool(writer, operator);
    case "MEAN": {
      const axes = integers(tensorOf(graph, operator.inputs[1])).toSorted();
      if (axes.join() !== "1,2") refuse(operator, "ONNX");
      const mean = writer.node("GlobalAveragePool", [writer.input(operator, 0)]);
      return operator.options.keepDims ? mean : reshape(mean);
    }
    case "PAD": {
      const pairs = integers(tensorOf(graph, operator.inputs[1]));
      const order = [0, 3, 1, 2];
      const pads = [...order.map((axis) => pairs[2 * axis]), ...order.map((axis) => pairs[2 * axis + 1])];
      return writer.node("Pad", [writer.input(operator, 0), writer.constant(BigInt64Array.from(pads, BigInt), [8])]);
    }
    case "ADD":
      if (operator.options.activation !== "NONE") refuse(operator, "ONNX");
      return writer.node("Add", [writer.input(operator, 0), writer.input(operator, 1)]);
    case "RESHAPE":
    case "SQUEEZE": {
      const { shape } = tensorOf(graph, operator.inputs[0]);
      // Else it would matter that planes lie where pixels should.
      if (shape.length === 4 && (shape[1] !== 1 || shape[2] !== 1)) refuse(operator, "ONNX");
      return reshape(writer.input(operator, 0));
    }
    case "SOFTMAX":
      return writer.node("Softmax", [writer.input(operator, 0)], [int("axis", 1)]);
    default:
      return refuse(operator, "ONNX");
  }
}

/** Its input takes real numbers or bytes [1, 3, height, width]; its only output gives real numbers. */
export function toOnnx(graph: Graph): Uint8Array<ArrayBuffer> {
  const writer = new Writer(graph);
  const input = writer.begin();
  for (const each of graph.operators) {
    const operator = known(each) ?? refuse(each, "ONNX");
    if (operator.op === "QUANTIZE" || operator.op === "DEQUANTIZE") writer.same(operator);
    else writer.set(operator.outputs[0], node(writer, operator));
  }
  return writer.finish(input);
}
