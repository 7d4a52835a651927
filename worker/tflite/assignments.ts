/**
 * Whether the operators of a graph follow one another: each tensor gets its value once, and before it is read. All that
 * walks along a graph, from an operator to those that make its inputs or read its outputs, comes to an end only if so.
 */
import { LabelerError } from "../errors.ts";
import type { RawOperator } from "./operators.ts";

interface NamedTensor {
  readonly name: string;
  readonly data: Uint8Array | undefined;
}

/** An optional tensor that is left out. */
const ABSENT = -1;

/**
 * Checks that no operator overwrites a tensor that has a value (an input of the graph, a constant or what another operator
 * computes), and that none reads what only comes to be later.
 *
 * @throws LabelerError of kind model-unusable that names the first operator that does.
 */
export function assertAssignedOnce(
  tensors: readonly NamedTensor[],
  operators: readonly RawOperator[],
  graphInputs: readonly number[],
): void {
  const given = new Set(graphInputs);
  const makers = new Map<number, number>();
  const refuse = (at: number, what: string): never => {
    const operator = `Operator ${at} (${operators[at].op})`;
    throw new LabelerError("model-unusable", `${operator} ${what}. Convert the model again.`);
  };
  const label = (tensor: number) => `tensor ${tensor} ("${tensors[tensor]?.name ?? ""}")`;

  for (const [at, { outputs }] of operators.entries()) {
    for (const output of outputs) {
      if (output === ABSENT) continue;
      const maker = makers.get(output);
      if (maker !== undefined) refuse(at, `overwrites ${label(output)}, which operator ${maker} computes`);
      if (given.has(output)) refuse(at, `overwrites ${label(output)}, which is an input of the graph`);
      if (tensors[output]?.data !== undefined) refuse(at, `overwrites ${label(output)}, which is a constant`);
      makers.set(output, at);
    }
  }
  for (const [at, { inputs }] of operators.entries()) {
    for (const input of inputs) {
      const maker = makers.get(input);
      if (maker === undefined || maker < at) continue;
      const when = maker === at ? "which it computes itself" : `which operator ${maker} computes only later`;
      refuse(at, `reads ${label(input)} before it is computed: ${when}`);
    }
  }
}
