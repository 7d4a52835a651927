/** docs/reference/models.md has all layers and functions of Keras that can be converted, and no others. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { FUNCTION_NAMES } from "../../scripts/user/model/convert/layers/activations.ts";
import { hasMapper, LAYER_CLASSES } from "../../scripts/user/model/convert/layers/registry.ts";

const [, section = ""] = readFileSync("docs/reference/models.md", "utf8").split("## Keras and TensorFlow.js\n");
const rows = section.split(/\n##/)[0]?.match(/^\|.*\|$/gm) ?? [];
const rowOf = (head: string) => rows.find((row) => row.startsWith(`| ${head} `)) ?? "";
const words = (row: string) => row.match(/\w+/g) ?? [];

it("lists the layers", () => {
  const listed = rows.flatMap((row) => row.match(/(?<=`)[A-Z]\w+/g) ?? []).filter((name) => name !== "RandomCrop");
  expect(LAYER_CLASSES.filter((name) => !listed.includes(name))).toEqual([]);
  expect(listed.filter((name) => !hasMapper(name))).toEqual([]);
});

it("lists the functions", () => {
  expect(words(rowOf("functions")).slice(1).toSorted()).toEqual([...FUNCTION_NAMES].toSorted());
});
