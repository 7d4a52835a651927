/** The table of operators in docs/reference/models.md, generated from their definitions. */
import type { OperatorDefinition } from "../../../worker/inference/operators/definition.ts";
import { ALL_TYPES } from "../../../worker/inference/operators/definition.ts";
import { OPERATORS } from "../../../worker/inference/operators/registry.ts";
import { markdownTable } from "./table.ts";

/** Operators that only compute shapes are left out: they are not operators of a network. */
const rows = Object.entries<OperatorDefinition>(OPERATORS).flatMap(([name, definition]) => {
  if (definition.kind === "folded") return [];
  const { computes, types } = definition;
  const numbers = types.length === ALL_TYPES.length ? "all" : types.map((type) => `\`${type}\``).join(", ");
  return [[`\`${name}\``, computes.replaceAll("|", "\\|"), numbers]];
});

export const operatorTable = (): string => markdownTable(["operator", "computes", "numbers"], rows);
