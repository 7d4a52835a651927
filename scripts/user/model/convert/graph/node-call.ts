/** A node that is being mapped, with what it is computed of: values of the network, and constants, which are folded. */
import { sizeOf } from "../../../../../worker/inference/constants.ts";
import { refuseNode } from "../errors.ts";
import type { Network, Value } from "../network.ts";
import type { Attributes, GraphNode } from "./graph-def.ts";

/** A weight, or a number that follows from the size of the input. */
export interface Constant {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

export type Operand = Value | Constant;

/** How many numbers of constants may be computed in all; weights are larger. */
export class Folding {
  #left = 1 << 23;

  /** @returns Whether so many are left. */
  take(count: number): boolean {
    this.#left -= count;
    return this.#left >= 0;
  }
}

export const isConstant = (operand: Operand): operand is Constant => "values" in operand;

/** Writes a node as operators, or computes it. @throws ConversionError that names the node and the reason if it cannot. */
export type NodeMapper = (call: NodeCall) => Operand | readonly Operand[];

export class NodeCall {
  readonly network: Network;
  readonly node: GraphNode;
  readonly inputs: readonly Operand[];

  readonly #folding: Folding;

  constructor(network: Network, node: GraphNode, inputs: readonly Operand[], folding: Folding) {
    this.#folding = folding;
    this.network = network;
    this.node = node;
    this.inputs = inputs;
  }

  get attributes(): Attributes {
    return this.node.attributes;
  }

  refuse(reason: string, instead?: string): never {
    return refuseNode(this.node, reason, instead);
  }

  input(position: number): Operand {
    return this.inputs[position] ?? this.refuse(`has ${this.inputs.length} inputs`);
  }

  /** An input as a value, if need be of a constant. */
  value(position: number): Value {
    return this.asValue(this.input(position));
  }

  asValue(operand: Operand): Value {
    if (!isConstant(operand)) return operand;
    // Leading dimensions of one change nothing where constants are broadcast, and TensorFlow Lite wants one at least.
    const from = operand.shape.findIndex((dim) => dim !== 1);
    const shape = from < 0 ? [1] : operand.shape.slice(from);
    return { tensor: this.network.constant(operand.values, shape), shape };
  }

  constant(position: number, what: string): Constant {
    const operand = this.input(position);
    return isConstant(operand) ? operand : this.refuse(`has ${what} that depend on the picture`);
  }

  /** Whole numbers, such as a shape or axes. */
  integers(position: number, what: string): readonly number[] {
    const values = [...this.constant(position, what).values];
    return values.every(Number.isSafeInteger) ? values : this.refuse(`has ${what} that are not whole numbers`);
  }

  integer(position: number, what: string): number {
    const [value, ...more] = this.integers(position, what);
    return value === undefined || more.length > 0 ? this.refuse(`has several ${what}`) : value;
  }

  /** @throws ConversionError if it, or all that is computed of constants, would be too large. */
  made(shape: readonly number[], compute: (index: number) => number): Constant {
    const size = sizeOf(shape);
    if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0) || !this.#folding.take(size)) {
      return this.refuse(`would give a constant of shape [${shape}]`);
    }
    const values = new Float32Array(size);
    for (let index = 0; index < size; index++) values[index] = compute(index);
    return { values, shape };
  }

  /** An axis, counted from the front. */
  axis(axis: number, rank: number): number {
    const positive = axis < 0 ? axis + rank : axis;
    const fits = Number.isInteger(positive) && positive >= 0 && positive < rank;
    return fits ? positive : this.refuse(`works along axis ${axis} of ${rank} dimensions`);
  }

  /** Images as [1, height, width, channels]. */
  image(position = 0): Value {
    this.attributes.requireChannelsLast();
    const value = this.value(position);
    if (value.shape.length === 4) return value;
    return this.refuse(`has an input of shape [${value.shape}], where an image is expected`);
  }
}
