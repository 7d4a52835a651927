/**
 * A TFLite file with float16 weights as one with float32 weights: LiteRT.js would dequantise them anew at every inference,
 * for which it takes longer than for the network. Fields: tensorflow/compiler/mlir/lite/schema/schema.fbs.
 */
import { realValues } from "../../../../worker/inference/constants.ts";
import { readGraph } from "../../../../worker/inference/operators/registry.ts";
import { tensorOf } from "./graph.ts";

const MODEL = { subgraphs: 2, buffers: 4 };
const SUBGRAPH = { tensors: 0, operators: 3 };
const TENSOR = { type: 1, buffer: 2 };
const OPERATOR = { inputs: 1 };
const BUFFER = { data: 0 };
const FLOAT32 = 0;
const ALIGNMENT = 16;

/** Positions in a FlatBuffer, in bytes from its start. */
class Positions {
  readonly view: DataView;

  constructor(view: DataView) {
    this.view = view;
  }

  follow(at: number): number {
    return at + this.view.getUint32(at, true);
  }

  field(table: number, id: number): number {
    const vtable = table - this.view.getInt32(table, true);
    const offset = this.view.getUint16(vtable + 4 + 2 * id, true);
    if (offset === 0) throw new Error(`the file leaves out field ${id} where it is needed`);
    return table + offset;
  }

  /** Where the elements of a vector are, four bytes each. */
  elements(table: number, id: number): number[] {
    const vector = this.follow(this.field(table, id));
    return Array.from({ length: this.view.getUint32(vector, true) }, (_, i) => vector + 4 + 4 * i);
  }
}

/** @returns The file, or undefined if it has no float16 weights. */
export function withFloat32Weights(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const graph = readGraph(file);
  const dequantised = graph.operators.filter(({ op, inputs }) => {
    const source = graph.tensors[inputs[0]];
    return op === "DEQUANTIZE" && source?.type === "float16" && source.data !== undefined;
  });
  if (dequantised.length === 0) return undefined;
  const weights = dequantised.map(({ inputs: [source] }) => ({ source, values: realValues(tensorOf(graph, source)) }));
  const room = weights.reduce((sum, { values }) => sum + values.byteLength + 2 * ALIGNMENT, ALIGNMENT);
  const output = new Uint8Array(file.length + room);
  output.set(file);
  const at = new Positions(new DataView(output.buffer));
  const model = at.follow(0);
  const [subgraph] = at.elements(model, MODEL.subgraphs).map((element) => at.follow(element));
  const tensors = at.elements(subgraph, SUBGRAPH.tensors).map((element) => at.follow(element));
  const buffers = at.elements(model, MODEL.buffers).map((element) => at.follow(element));

  let end = file.length;
  for (const { source, values } of weights) {
    output[at.field(tensors[source], TENSOR.type)] = FLOAT32;
    const buffer = buffers[at.view.getUint32(at.field(tensors[source], TENSOR.buffer), true)];
    const start = Math.ceil((end + 4) / ALIGNMENT) * ALIGNMENT;
    at.view.setUint32(start - 4, values.byteLength, true);
    output.set(new Uint8Array(values.buffer), start);
    const data = at.field(buffer, BUFFER.data);
    at.view.setUint32(data, start - 4 - data, true);
    end = start + values.byteLength;
  }

  const sourceOf = new Map(dequantised.map(({ inputs: [source], outputs: [result] }) => [result, source]));
  const entries = at.elements(subgraph, SUBGRAPH.operators);
  const operators = entries.map((element) => at.follow(element));
  const kept = operators.filter((_, i) => !dequantised.some(({ index }) => index === i));
  for (const operator of kept) {
    for (const element of at.elements(operator, OPERATOR.inputs)) {
      const input = at.view.getInt32(element, true);
      at.view.setInt32(element, sourceOf.get(input) ?? input, true);
    }
  }
  at.view.setUint32(entries[0] - 4, kept.length, true);
  for (const [i, operator] of kept.entries()) at.view.setUint32(entries[i], operator - entries[i], true);
  return output.slice(0, end);
}
