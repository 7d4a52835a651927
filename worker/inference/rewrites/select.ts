/**
 * Rewrites activations such as ELU and SELU, which converters express as SELECT(x > 0, f(x), g(x)). If f(0) = g(0) = 0,
 * this equals f(max(x, 0)) + g(min(x, 0)) to the last bit, since one of both is 0; nothing has to be selected then.
 */
import type { Operator } from "../../tflite/graph.ts";
import type { GraphEditor } from "./editor.ts";

/** The operators that a branch may contain, as functions of a number. A constant is the second operand. */
const STEPS: Readonly<Record<string, (x: number, constant: number) => number>> = {
  EXP: (x) => Math.exp(x),
  MUL: (x, constant) => x * constant,
  ADD: (x, constant) => x + constant,
  SUB: (x, constant) => x - constant,
  DIV: (x, constant) => x / constant,
};

/** The operators from x to the end of a branch, in order; undefined for any other kind of branch. */
function branchOf(editor: GraphEditor, x: number, end: number): Operator[] | undefined {
  const branch: Operator[] = [];
  for (let at = end; at !== x; ) {
    const operator = editor.producerOf(at);
    if (operator === undefined || !(operator.op in STEPS) || editor.soleReaderOf(at) === undefined) return undefined;
    const [value, constant] = operator.inputs;
    if (operator.op !== "EXP" && editor.perChannelOf(constant)?.length !== 1) return undefined;
    branch.unshift(operator);
    at = value;
  }
  return branch;
}

const valueAtZero = (editor: GraphEditor, branch: readonly Operator[]): number =>
  branch.reduce((x, { op, inputs }) => STEPS[op]?.(x, editor.perChannelOf(inputs[1])?.[0] ?? 0) ?? Number.NaN, 0);

/** The replacement of SELECT; undefined if it is not such an activation. */
function asSum(editor: GraphEditor, select: Operator): Operator[] | undefined {
  const [condition, above, below] = select.inputs;
  const greater = editor.producerOf(condition);
  const x = editor.tensors[greater?.inputs[0] ?? -1];
  if (greater?.op !== "GREATER" || x === undefined || x.type !== "float32") return undefined;
  if (editor.perChannelOf(greater.inputs[1])?.join() !== "0") return undefined;
  const branches = [above, below].map((end) => branchOf(editor, x.index, end));
  if (branches.some((branch) => branch === undefined || valueAtZero(editor, branch) !== 0)) return undefined;
  const { index } = select;
  const zero = greater.inputs[1];
  const [positive, negative] = ["MAXIMUM", "MINIMUM"].map((op): Operator => {
    const outputs = [editor.addLike(x, { name: "" })];
    return { index, op, inputs: [x.index, zero], outputs, options: undefined };
  });
  const limited = [positive, negative].flatMap((limit, side) => {
    let value = limit.outputs[0];
    const own = (branches[side] ?? []).map((operator) => {
      const outputs = [editor.addLike(x, { name: "" })];
      const moved = { ...operator, inputs: [value, ...operator.inputs.slice(1)], outputs };
      value = outputs[0];
      return moved;
    });
    return [{ value, operators: [limit, ...own] }];
  });
  const sum = {
    index,
    op: "ADD",
    inputs: limited.map(({ value }) => value),
    outputs: select.outputs,
    options: { activation: "NONE" },
  };
  return [...limited.flatMap(({ operators }) => operators), sum];
}

export function addBranches(editor: GraphEditor): void {
  for (const select of editor.operators.filter(({ op }) => op === "SELECT" || op === "SELECT_V2")) {
    const written = asSum(editor, select);
    if (written !== undefined) editor.replace(select, written);
  }
}
