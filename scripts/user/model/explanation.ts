/** Prints the result of `npm run model -- explain`: a line for each step of the plan, then its memory and time. */
import { nameOf, type PlanStep, type PlanTensor } from "../../../worker/inference/plan/compiled-plan.ts";
import type { Explained } from "./explain-worker.ts";

const size = (bytes: number): string =>
  bytes === 0 ? "–" : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** The tensors that a step reads, without constants, and the one that it writes. */
function endsOf(step: PlanStep): { inputs: readonly number[]; output: number | undefined } {
  if (!("kernel" in step)) return { inputs: [step.from], output: step.to };
  const { output, ...parameters } = step.parameters;
  const inputs = Object.values<unknown>({ ...parameters }).flatMap((value) => tensorIn(value) ?? []);
  return { inputs, output: tensorIn(output) };
}

/** The tensor that contains a place, if any. */
function tensorIn(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null || !("tensor" in value)) return undefined;
  return typeof value.tensor === "number" ? value.tensor : undefined;
}

const shapeOf = ({ shape, type }: PlanTensor): string => `${shape.join("×")} ${type}`;

/** The cells of a table: a header, and a row for each step. */
function rows({ plan, stepMs }: Explained): string[][] {
  const tensors = new Map(plan.tensors.map((tensor) => [tensor.index, tensor]));
  const shapes = (indices: readonly (number | undefined)[]) =>
    indices
      .flatMap((index) => tensors.get(index ?? -1) ?? [])
      .map(shapeOf)
      .join(" + ");
  const total = stepMs.reduce((sum, ms) => sum + ms, 0);
  return [
    ["STEP", "OPERATOR", "KERNEL", "INPUT", "OUTPUT", "PACKED", "SCRATCH", "MS", "SHARE"],
    ...plan.steps.map((step, i) => {
      const { inputs, output } = endsOf(step);
      const [{ index, op }, ms] = [step.operator, stepMs[i] ?? 0];
      const bytes = [size(step.packedBytes), size(step.scratchBytes)];
      const cost = [ms.toFixed(3), `${((100 * ms) / total).toFixed(1)} %`];
      return [`${i}`, `${index} ${op}`, nameOf(step), shapes(inputs), shapes([output]), ...bytes, ...cost];
    }),
  ];
}

/** Columns with numbers are right-aligned. */
const RIGHT = new Set(["STEP", "PACKED", "SCRATCH", "MS", "SHARE"]);

function table(cells: readonly (readonly string[])[]): string {
  const [head = []] = cells;
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    RIGHT.has(head[column] ?? "") ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return cells.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

const exact = (isExact: boolean): string => (isExact ? "exact" : "not exact");

/** The plan of a model as text for people. */
export function explanation(explained: Explained): string {
  const { model, precision, cpu, plan, bytes, stepMs, runMs } = explained;
  const packed = plan.steps.reduce((sum, { packedBytes }) => sum + packedBytes, 0);
  const { arenaBytes, scratchBytes } = plan.memory;
  const sum = stepMs.reduce((total, ms) => total + ms, 0);
  return [
    `${model}, ${precision}: ${plan.steps.length} steps`,
    "",
    table(rows(explained)),
    "",
    `CPU: the relaxed dot product of four bytes is ${cpu.exactDot ? `exact, ${cpu.exactDot}` : "not exact"}, of two bytes ${exact(cpu.pairsAreExact)}.`,
    `Memory: ${size(bytes)}, of which packed constants ${size(packed)}, activations ${size(arenaBytes)}, scratch ${size(scratchBytes)}.`,
    `Time: ${runMs.toFixed(2)} ms for all steps in turn. A step's time is of the step alone, repeated with its data in the cache;`,
    `they add up to ${sum.toFixed(2)} ms.`,
  ].join("\n");
}
