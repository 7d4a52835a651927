/** Finds GELU, x · (1 + erf(x / √2)) / 2, since TensorFlow Lite has an operator for the whole and none for erf. */
import type { Weight } from "../layers/layer.ts";
import type { Edge, GraphNode } from "./graph-def.ts";
import type { NodeMapper } from "./node-call.ts";

/** The operation of a node that stands for the whole. */
export const GELU = "Gelu";

export const gelu: NodeMapper = (call) => call.network.unary("GELU", call.value(0), { approximate: false });

type Nodes = ReadonlyMap<string, GraphNode>;
type Weights = ReadonlyMap<string, Weight>;

/** A product of constants and other values. */
interface Product {
  readonly factor: number;
  readonly others: readonly Edge[];
}

/** Products of products that are looked into. */
const DEEPEST = 2;

const isSame = (a: Edge, b: Edge | undefined): boolean => a.node === b?.node && a.output === b.output;
/** As float32 has constants. */
const isNear = (value: number | undefined, expected: number): boolean =>
  value !== undefined && Math.abs(value - expected) < 1e-6;

class Finder {
  readonly #nodes: Nodes;
  readonly #weights: Weights;

  constructor(nodes: Nodes, weights: Weights) {
    this.#nodes = nodes;
    this.#weights = weights;
  }

  /** A constant of one number. */
  #number({ node }: Edge): number | undefined {
    const weight = this.#nodes.get(node)?.op === "Const" ? this.#weights.get(node) : undefined;
    return weight?.shape.every((dim) => dim === 1) ? weight.values()[0] : undefined;
  }

  /** @param whole That is taken as it is, even if it is a product. */
  #product(edge: Edge, whole: Edge | undefined, depth = 0): Product {
    const number = this.#number(edge);
    if (number !== undefined) return { factor: number, others: [] };
    const node = this.#nodes.get(edge.node);
    if (node?.op !== "Mul" || isSame(edge, whole) || depth > DEEPEST) return { factor: 1, others: [edge] };
    const [a, b] = node.inputs.map((input) => this.#product(input, whole, depth + 1));
    if (a === undefined || b === undefined) return { factor: 1, others: [edge] };
    return { factor: a.factor * b.factor, others: [...a.others, ...b.others] };
  }

  /** x of 1 + erf(x / √2). */
  #ofErf(edge: Edge): Edge | undefined {
    const sum = this.#nodes.get(edge.node);
    if (sum?.op !== "AddV2" && sum?.op !== "Add") return undefined;
    const erf = sum.inputs.map(({ node }) => this.#nodes.get(node)).find((node) => node?.op === "Erf");
    if (erf === undefined || !sum.inputs.some((input) => isNear(this.#number(input), 1))) return undefined;
    const scaled = this.#nodes.get(erf.inputs[0]?.node ?? "");
    const x = scaled?.inputs.find((input) => this.#number(input) === undefined);
    const [factor] = scaled?.inputs.flatMap((input) => this.#number(input) ?? []) ?? [];
    const isScaled =
      scaled?.op === "Mul" ? isNear(factor, Math.SQRT1_2) : scaled?.op === "RealDiv" && isNear(factor, Math.SQRT2);
    return isScaled ? x : undefined;
  }

  /** x, if a node gives its GELU. */
  argumentOf({ name, op }: GraphNode): Edge | undefined {
    if (op !== "Mul") return undefined;
    const root = { node: name, output: 0 };
    for (const sum of this.#product(root, undefined).others) {
      const x = this.#ofErf(sum);
      if (x === undefined) continue;
      const { factor, others } = this.#product(root, x);
      const fits =
        others.length === 2 && others.some((edge) => isSame(edge, x)) && others.some((edge) => isSame(edge, sum));
      if (fits && isNear(factor, 0.5)) return x;
    }
    return undefined;
  }
}

/** @returns The nodes, in which one stands for each GELU; those that it was made of are not read any more. */
export function findGelu(nodes: Nodes, weights: Weights): Nodes {
  if (![...nodes.values()].some(({ op }) => op === "Erf")) return nodes;
  const finder = new Finder(nodes, weights);
  return new Map(
    [...nodes].map(([name, node]) => {
      const x = finder.argumentOf(node);
      return [name, x === undefined ? node : { ...node, op: GELU, inputs: [x] }];
    }),
  );
}
