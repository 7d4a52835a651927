/** The definitions of operators: each is complete, has its cases, and is the only place that names its operator. */
import { readFileSync } from "node:fs";
import { globSync } from "tinyglobby";
import { describe, expect, it } from "vitest";
import type { OperatorDefinition } from "../../worker/inference/operators/definition.ts";
import { OPERATORS } from "../../worker/inference/operators/registry.ts";
import { isBuiltinOperator } from "../../worker/tflite/builtin-operators.ts";
import type { Case } from "../unit/inference/cases.ts";

const definitions = Object.entries<OperatorDefinition>(OPERATORS);
const cases: readonly Case[] = JSON.parse(readFileSync("test/fixtures/ops/cases.json", "utf8"));

/** All of them, whatever is supported. */
const ALL_NAMES = "worker/tflite/builtin-operators.ts";

/** They look for networks of a known kind, or make one. */
const PATTERNS = [
  "worker/inference/plan/lower/head.ts",
  "worker/inference/plan/lower/int16.ts",
  "worker/inference/rehearsal.ts",
  "worker/inference/taps.ts",
  "worker/inference/rewrites/dilated.ts",
  "worker/inference/rewrites/front.ts",
  "worker/inference/rewrites/grouped.ts",
  "worker/inference/rewrites/outputs.ts",
  "worker/inference/rewrites/select.ts",
  "worker/model/first-convolution.ts",
  "worker/model/normalization.ts",
  "worker/model/task.ts",
];

/** Names of fused activations as well. */
const ACTIVATIONS = ["RELU", "RELU6", "RELU_N1_TO_1", "TANH"];

/** Without comments, which may speak of operators. */
const code = (path: string): string => readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

describe.each(definitions)("%s", (name, definition) => {
  it("is an operator of TensorFlow Lite", () => {
    expect(isBuiltinOperator(name)).toBe(true);
  });

  it.runIf(definition.kind !== "folded")("has cases of each type that it computes, and of no other", () => {
    const own = cases.filter(({ op }) => op === name).map(({ outputs }) => outputs[0].dtype);
    const types = definition.kind === "folded" ? [] : definition.types;
    expect([...new Set(own)].toSorted()).toEqual([...types].toSorted());
  });
});

describe("an operator's name", () => {
  // Elsewhere the same word may be the name of a setting.
  const elsewhere = globSync("worker/{tflite,inference,model}/**/*.ts", {
    ignore: ["worker/inference/operators/**", ALL_NAMES, ...PATTERNS],
  }).map((path) => ({ path, names: code(path).match(/(?<=["'`])[A-Z][A-Z0-9_]*(?=["'`])/g) ?? [] }));

  it("stands in its definition alone", () => {
    const known = new Set(definitions.map(([name]) => name).filter((name) => !ACTIVATIONS.includes(name)));
    const found = elsewhere.map(({ path, names }) => [path, ...names.filter((name) => known.has(name))]);
    expect(found.filter(([, ...names]) => names.length > 0)).toEqual([]);
  });

  it("is defined in one file", () => {
    const files = globSync("worker/inference/operators/*.ts").map(code);
    const defined = definitions.map(
      ([name]) => files.filter((text) => new RegExp(`^  ${name}: `, "m").test(text)).length,
    );
    expect(defined).toEqual(definitions.map(() => 1));
  });
});
