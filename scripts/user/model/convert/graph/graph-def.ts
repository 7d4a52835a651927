/**
 * The GraphDef of a TensorFlow.js graph model as nodes. It is the JSON form of tensorflow/core/framework/graph.proto: texts
 * are in base64, and whole numbers may be texts.
 */
import { isJson, type Json, jsonOf, listOf } from "../config.ts";
import { ConversionError, refuseNode } from "../errors.ts";

/** An output of a node. */
export interface Edge {
  readonly node: string;
  readonly output: number;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** Without those that only state an order ("^name"). */
  readonly inputs: readonly Edge[];
  readonly attributes: Attributes;
}

/** More than any classifier has. */
const MOST_NODES = 20_000;
const MOST_INPUTS = 1000;

/** "name:1", or "name" for the first output. */
export function edgeOf(text: string): Edge {
  const [, node = "", output = "0"] = /^(.*?)(?::(\d{1,4}))?$/s.exec(text) ?? [];
  return { node, output: Number(output) };
}

const decoded = (text: unknown): string | undefined =>
  typeof text === "string" ? Buffer.from(text, "base64").toString("latin1") : undefined;

/** The sizes of TensorShapeProto; an open dimension is −1. @returns Undefined if even the rank is open, or it is damaged. */
export function dimensionsOf(shape: unknown): readonly number[] | undefined {
  if (!isJson(shape) || shape.unknownRank === true || !Array.isArray(shape.dim)) return undefined;
  const sizes = shape.dim.map((dim: unknown) => (isJson(dim) ? Number(dim.size ?? 0) : Number.NaN));
  return sizes.every((size) => Number.isSafeInteger(size) && size >= -1) ? sizes : undefined;
}

/** The attributes of a node; one that is not of the expected kind is refused with the node's name. */
export class Attributes {
  readonly #json: Json;
  readonly #node: { readonly name: string; readonly op: string };

  constructor(json: Json, node: { readonly name: string; readonly op: string }) {
    this.#json = json;
    this.#node = node;
  }

  #refuse(name: string): never {
    const shown = JSON.stringify(this.#json[name] ?? null).slice(0, 60);
    return refuseNode(this.#node, `has ${shown} as ${name}`);
  }

  #value(name: string): Json {
    const value = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
    return isJson(value) ? value : {};
  }

  #list(name: string): Json {
    const { list } = this.#value(name);
    return isJson(list) ? list : {};
  }

  boolean(name: string): boolean {
    return this.#value(name).b === true;
  }

  /** A text such as "SAME" or "NHWC". */
  text(name: string, absent: string): string {
    const { s } = this.#value(name);
    return s === undefined ? absent : (decoded(s) ?? this.#refuse(name));
  }

  texts(name: string): readonly string[] {
    const { s } = this.#list(name);
    if (s === undefined) return [];
    return Array.isArray(s) ? s.map((each) => decoded(each) ?? this.#refuse(name)) : this.#refuse(name);
  }

  /** A type such as "DT_FLOAT"; empty if it is absent. */
  type(name: string): string {
    const { type } = this.#value(name);
    return typeof type === "string" ? type : "";
  }

  number(name: string, absent: number): number {
    const { f } = this.#value(name);
    const value = f === undefined ? absent : Number(f);
    return Number.isFinite(value) ? value : this.#refuse(name);
  }

  integer(name: string, absent: number): number {
    const { i } = this.#value(name);
    const value = i === undefined ? absent : Number(i);
    return Number.isSafeInteger(value) ? value : this.#refuse(name);
  }

  integers(name: string): readonly number[] {
    const { i } = this.#list(name);
    const values = i === undefined ? [] : [i].flat().map(Number);
    return values.every(Number.isSafeInteger) ? values : this.#refuse(name);
  }

  /** [vertical, horizontal] of a list for [batch, height, width, channels]. */
  pair(name: string): readonly [number, number] {
    const values = this.integers(name);
    const [batch = 1, height = 1, width = 1, channels = 1, ...more] = values;
    const fits = [height, width].every((value) => value >= 1 && value <= 1 << 20);
    if (!fits || batch !== 1 || channels !== 1 || more.length > 0) this.#refuse(name);
    return [height, width];
  }

  /** The dimensions of an image, in the only order that TensorFlow.js knows. */
  requireChannelsLast(): void {
    const format = this.text("data_format", "NHWC");
    if (format !== "NHWC") {
      refuseNode(
        this.#node,
        `has data_format "${format.slice(0, 20)}"`,
        'Build the network with "channels_last", which is NHWC; the trained weights fit it as they are.',
      );
    }
  }

  shape(name: string): readonly number[] | undefined {
    return dimensionsOf(this.#value(name).shape);
  }
}

/**
 * @param topology modelTopology of model.json.
 * @returns The nodes by name.
 * @throws ConversionError if it is damaged.
 */
export function readGraphDef(topology: Json): ReadonlyMap<string, GraphNode> {
  const given = listOf(topology.node, "its list of nodes");
  if (given.length > MOST_NODES) throw new ConversionError(`The model has ${given.length} nodes.`);
  const nodes = new Map<string, GraphNode>();
  for (const each of given) {
    const { name, op, input, attr } = jsonOf(each, "a node");
    if (typeof name !== "string" || typeof op !== "string") {
      throw new ConversionError("The graph of the model is damaged: a node has no name or no operation.");
    }
    if (nodes.has(name)) throw new ConversionError(`The model has several nodes of the name "${name.slice(0, 80)}".`);
    const inputs = (input === undefined ? [] : listOf(input, "the inputs of a node")).filter(
      (edge): edge is string => typeof edge === "string" && !edge.startsWith("^"),
    );
    if (inputs.length > MOST_INPUTS) throw new ConversionError(`The node "${name}" has ${inputs.length} inputs.`);
    const attributes = new Attributes(isJson(attr) ? attr : {}, { name, op });
    nodes.set(name, { name, op, inputs: inputs.map(edgeOf), attributes });
  }
  return nodes;
}
