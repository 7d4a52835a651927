/** A graph that is being rewritten: operators are replaced, and new tensors follow those of the file. */
import type { Graph, Operator, Tensor } from "../../tflite/graph.ts";
import { integers, realValues, sizeOf } from "../constants.ts";

export class GraphEditor {
  readonly tensors: Tensor[];
  operators: Operator[];
  readonly inputs: number[];
  outputs: number[];
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.tensors = [...graph.tensors];
    this.operators = [...graph.operators];
    this.inputs = [...graph.inputs];
    this.outputs = [...graph.outputs];
  }

  /** The operators that read a tensor. */
  readersOf(tensor: number): Operator[] {
    return this.operators.filter(({ inputs }) => inputs.includes(tensor));
  }

  /** The only operator that reads a tensor, provided that the tensor is not an output of the graph. */
  soleReaderOf(tensor: number): Operator | undefined {
    const [reader, ...others] = this.readersOf(tensor);
    return others.length > 0 || this.outputs.includes(tensor) ? undefined : reader;
  }

  producerOf(tensor: number): Operator | undefined {
    return this.operators.find(({ outputs }) => outputs.includes(tensor));
  }

  /** Adds a copy of a tensor with changes. @returns Its index. */
  addLike(tensor: Tensor, changes: Partial<Tensor>): number {
    return this.tensors.push({ ...tensor, ...changes, index: this.tensors.length }) - 1;
  }

  /** Adds an int32 constant: a vector or a matrix. @returns Its index. */
  addIntegers(values: readonly number[], shape: readonly number[] = [values.length]): number {
    const data = new Uint8Array(Int32Array.from(values).buffer);
    const index = this.tensors.length;
    this.tensors.push({ index, name: "", shape, open: [], type: "int32", quantization: undefined, data });
    return index;
  }

  /** Replaces an operator by others that compute the same output. */
  replace(operator: Operator, by: readonly Operator[]): void {
    this.operators.splice(this.operators.indexOf(operator), 1, ...by);
  }

  remove(operator: Operator): void {
    this.replace(operator, []);
  }

  /** The integers of a constant; undefined if the tensor is not one. */
  integersOf(index: number | undefined): number[] | undefined {
    const tensor = this.tensors[index ?? -1];
    const whole = tensor?.type === "int32" || tensor?.type === "int64";
    return tensor?.data === undefined || !whole ? undefined : integers(tensor);
  }

  /** A float constant with one number, or one for each channel; undefined if the tensor is not one. */
  perChannelOf(index: number | undefined): number[] | undefined {
    const tensor = this.tensors[index ?? -1];
    const real = tensor?.type === "float32" || tensor?.type === "float16";
    return tensor?.data === undefined || !real || sizeOf(tensor.shape) > 4 ? undefined : [...realValues(tensor)];
  }

  finish(): Graph {
    const { tensors, operators, inputs, outputs } = this;
    return { ...this.#graph, tensors, operators, inputs, outputs };
  }
}
