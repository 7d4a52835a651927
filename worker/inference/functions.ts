/** The functions of one real number that operators without weights compute, as TensorFlow Lite defines them. */
import type { KnownOperator, Of } from "../tflite/graph.ts";

/** The operators that compute a function of one number for each value. */
export const FUNCTIONS = [
  "RELU",
  "RELU6",
  "RELU_N1_TO_1",
  "RELU_0_TO_1",
  "LEAKY_RELU",
  "LOGISTIC",
  "TANH",
  "HARD_SWISH",
  "ELU",
  "GELU",
  "EXP",
  "ABS",
  "NEG",
  "SQRT",
  "RSQRT",
] as const;
export type FunctionOperator = Of<(typeof FUNCTIONS)[number]>;

const NAMES: ReadonlySet<string> = new Set(FUNCTIONS);
export const isFunction = (operator: KnownOperator): operator is FunctionOperator => NAMES.has(operator.op);

/** The error function: 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5⋯(2n+1)), all of whose terms have one sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [sum, term] = [0, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const clamp = (low: number, high: number) => (x: number) => Math.min(high, Math.max(low, x));

/** The function of an operator; 1 / √0 is infinite. */
export function functionOf(operator: FunctionOperator): (x: number) => number {
  switch (operator.op) {
    case "RELU":
      return clamp(0, Number.POSITIVE_INFINITY);
    case "RELU6":
      return clamp(0, 6);
    case "RELU_N1_TO_1":
      return clamp(-1, 1);
    case "RELU_0_TO_1":
      return clamp(0, 1);
    case "LEAKY_RELU": {
      const { alpha } = operator.options;
      return (x) => (x > 0 ? x : x * alpha);
    }
    case "LOGISTIC":
      return (x) => 1 / (1 + Math.exp(-x));
    case "TANH":
      return Math.tanh;
    case "HARD_SWISH":
      return (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6;
    case "ELU":
      return (x) => (x < 0 ? Math.expm1(x) : x);
    case "GELU":
      return operator.options.approximate
        ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
        : (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
    case "EXP":
      return Math.exp;
    case "ABS":
      return Math.abs;
    case "NEG":
      return (x) => -x;
    case "SQRT":
      return Math.sqrt;
    case "RSQRT":
      return (x) => 1 / Math.sqrt(x);
  }
}
