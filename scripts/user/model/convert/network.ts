/** A TensorFlow Lite graph under construction, on real numbers; the shapes of all values are known, for one picture. */
import { sizeOf } from "../../../../worker/inference/constants.ts";
import type { Graph, Operator, Tensor, TensorType } from "../../../../worker/tflite/graph.ts";
import { ConversionError } from "./errors.ts";

/** A value that is computed when the network runs. */
export interface Value {
  readonly tensor: number;
  /** The batch of one comes first. */
  readonly shape: readonly number[];
}

/** No classifier has larger values, and a device could not hold them. */
const LARGEST_VALUE = 1 << 28;
/** What all weights together may take, in bytes: a small file may use one weight a thousand times. */
const LARGEST_WEIGHTS = 1 << 30;
/** No classifier has as many operators. */
const MOST_OPERATORS = 5000;

const NONE = { activation: "NONE" } as const;

/** The shape of a combination of two values. @returns Undefined if they cannot be combined. */
function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const dim = (shape: readonly number[], i: number) => shape[shape.length - rank + i] ?? 1;
  const shape = Array.from({ length: rank }, (_, i) => Math.max(dim(a, i), dim(b, i)));
  return shape.every((size, i) => [a, b].every((one) => dim(one, i) === 1 || dim(one, i) === size)) ? shape : undefined;
}

export class Network {
  readonly #tensors: Tensor[] = [];
  readonly #operators: Operator[] = [];
  /** What differs from the input by constant factors and shifts alone. */
  readonly #front = new Set<number>();
  /** Names what is being built, for the names of tensors and errors. */
  scope = "";
  readonly #unit: string;
  /** The bytes of all weights. */
  #weights = 0;

  /** @param unit What the network is written from, for errors. */
  constructor(unit: "layer" | "node" = "layer") {
    this.#unit = unit;
  }

  #tensor(type: TensorType, shape: readonly number[], data: Uint8Array | undefined): number {
    const index = this.#tensors.length;
    this.#tensors.push({ index, name: this.scope, shape, open: [], type, quantization: undefined, data });
    return index;
  }

  input(shape: readonly number[]): Value {
    this.scope = "input";
    const tensor = this.#tensor("float32", shape, undefined);
    this.#front.add(tensor);
    return { tensor, shape };
  }

  /** Whether a value is the input, perhaps scaled and shifted. */
  isAtFront({ tensor }: Value): boolean {
    return this.#front.has(tensor);
  }

  /**
   * @param values Of a weight, little-endian as this machine is.
   * @returns Its tensor.
   * @throws ConversionError if all weights together are larger than any classifier's.
   */
  constant(values: Float32Array, shape: readonly number[]): number {
    this.#weights += values.byteLength;
    if (this.#weights > LARGEST_WEIGHTS) throw new ConversionError("The weights of the network are larger than 1 GB.");
    return this.#tensor("float32", shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  integers(values: readonly number[], shape: readonly number[] = [values.length]): number {
    return this.#tensor("int32", shape, new Uint8Array(Int32Array.from(values).buffer));
  }

  /** @throws ConversionError if the value is larger than any classifier's. */
  add(op: string, inputs: readonly number[], shape: readonly number[], options?: unknown): Value {
    if (!shape.every((dim) => Number.isSafeInteger(dim) && dim > 0) || sizeOf(shape) > LARGEST_VALUE) {
      throw new ConversionError(
        `The ${this.#unit} "${this.scope}" would have an output of shape [${shape.join(", ")}].`,
      );
    }
    if (this.#operators.length >= MOST_OPERATORS) throw new ConversionError(`The network has too many ${this.#unit}s.`);
    const tensor = this.#tensor("float32", shape, undefined);
    this.#operators.push({ index: this.#operators.length, op, inputs, outputs: [tensor], options });
    return { tensor, shape };
  }

  /** An operator on each number. */
  unary(op: string, x: Value, options?: unknown): Value {
    return this.add(op, [x.tensor], x.shape, options);
  }

  /** @throws ConversionError if the shapes cannot be combined. */
  binary(op: string, a: Value, b: Value): Value {
    return this.#combine(op, a, b);
  }

  /** An operator on a value and a constant: one number, or as many as there are channels. */
  withConstant(op: string, x: Value, values: number | Float32Array): Value {
    const data = typeof values === "number" ? Float32Array.of(values) : values;
    const shape = [data.length];
    const value = this.#combine(op, x, { tensor: this.constant(data, shape), shape });
    if (this.isAtFront(x)) this.#front.add(value.tensor);
    return value;
  }

  #combine(op: string, a: Value, b: Value): Value {
    const shape = broadcast(a.shape, b.shape);
    if (shape === undefined) {
      throw new ConversionError(
        `The ${this.#unit} "${this.scope}" combines values of shapes [${a.shape}] and [${b.shape}], which do not fit.`,
      );
    }
    const activated = op === "ADD" || op === "SUB" || op === "MUL" || op === "DIV";
    return this.add(op, [a.tensor, b.tensor], shape, activated ? NONE : undefined);
  }

  /** @throws ConversionError if the new shape has another number of values. */
  reshape(x: Value, shape: readonly number[]): Value {
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new ConversionError(`The ${this.#unit} "${this.scope}" turns shape [${x.shape}] into [${shape}].`);
    }
    return x.shape.join() === shape.join() ? x : this.add("RESHAPE", [x.tensor, this.integers(shape)], shape);
  }

  /** @param names One for each output. */
  finish(input: Value, outputs: readonly Value[], names: readonly string[]): Graph {
    const tensors = [...this.#tensors];
    for (const [i, { tensor }] of outputs.entries()) tensors[tensor] = { ...tensors[tensor], name: names[i] ?? "" };
    return {
      tensors,
      operators: [...this.#operators],
      inputs: [input.tensor],
      outputs: outputs.map(({ tensor }) => tensor),
      metadata: new Map(),
    };
  }
}
