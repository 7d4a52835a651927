/** Descriptions of structures: the offsets of fields, the generated TypeScript, and descriptions that are refused. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type Field, readDescription, type Struct } from "../../scripts/build/layouts/description.ts";
import { headerOf } from "../../scripts/build/layouts/header.ts";
import { typescriptOf } from "../../scripts/build/layouts/typescript.ts";
import { type KernelCall, parameterWords } from "../../worker/inference/plan/layouts.ts";

const EMPTY = { about: "A test.", header: "a.h", typescript: "a.ts", constants: {}, enums: {}, functions: [] };

const describe = (fields: readonly string[], more: object = {}) =>
  readDescription(
    JSON.stringify({
      ...EMPTY,
      structs: { Part: { about: "A part.", fields: [["int8_t one"], ["double two"]] }, All: all(fields) },
      ...more,
    }),
  );

const all = (fields: readonly string[]) => ({ about: "All.", fields: fields.map((field) => [field]) });

const structOf = (...args: Parameters<typeof describe>): Struct => {
  const found = describe(...args).structs.find(({ name }) => name === "All");
  if (found === undefined) throw new Error("struct All is missing");
  return found;
};

it("computes offsets and sizes as C does for wasm32", () => {
  const { fields, bytes } = structOf([
    "int8_t small",
    "const float *pointer",
    "int16_t shorts[3]",
    "struct Part part",
    "uint8_t grid[2][3]",
    "double number",
    "int8_t rest[]",
  ]);
  expect(fields.map(({ name, offset }) => [name, offset])).toEqual([
    ["small", 0],
    ["pointer", 4],
    ["shorts", 8],
    ["part", 16],
    ["grid", 32],
    ["number", 40],
    ["rest", 48],
  ]);
  expect(bytes).toBe(48);
});

it("takes the length of an array from a constant", () => {
  const { bytes } = structOf(["int32_t count[LEVELS]"], { constants: { LEVELS: [4, "levels"] } });
  expect(bytes).toBe(16);
});

it.each([
  ["int32 depth", /struct All, "int32 depth": int32 is neither/],
  ["int32_t depth[LEVELS]", /LEVELS is not a constant/],
  ["struct Later later", /struct Later is not described before it/],
  ["int32_t a, b", /struct All, "int32_t a, b" is not a declaration/],
])("refuses %s and says why", (field, message) => {
  expect(() => describe([field])).toThrow(message);
});

it("refuses a key that it does not know", () => {
  expect(() => readDescription(JSON.stringify({ ...EMPTY, structs: {}, sizes: {} }))).toThrow(/sizes/);
});

it("has the C compiler check every field and the size", () => {
  const header = headerOf(describe(["double number", "int32_t last"]), "a.json");
  expect(header).toContain('_Static_assert(offsetof(struct All, last) == 8, "struct All: last");');
  expect(header).toContain('_Static_assert(sizeof(struct All) == 16, "struct All");');
});

it("refuses parameters that are not words of four bytes", () => {
  const structs = { All: { ...all(["double number"]), kernels: ["kernel"] } };
  const description = readDescription(JSON.stringify({ ...EMPTY, structs }));
  expect(() => typescriptOf(description, "a.json")).toThrow("struct All has fields that are not words of four bytes");
});

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Parameters in which each word says at which offset it belongs. */
function offsetsOf(fields: readonly Field[], start = 0): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name, type, length, offset }) => {
      const at = start + offset;
      if (type.kind === "struct") return [camel(name), offsetsOf(type.struct.fields, at)];
      return [camel(name), length === undefined ? at : Array.from({ length }, (_, i) => at + 4 * i)];
    }),
  );
}

const kernels = readDescription(readFileSync("native/layouts/kernels.json", "utf8")).structs.flatMap((struct) =>
  struct.kernels.map((kernel) => [kernel, struct] as const),
);

it.each(kernels)("writes each parameter of %s where C reads it", (kernel, { fields, bytes }) => {
  const words = parameterWords({ kernel, parameters: offsetsOf(fields) } as unknown as KernelCall);
  const offsets = words.map((word) => (typeof word === "object" && "f32" in word ? word.f32 : word));
  expect(offsets).toEqual(Array.from({ length: bytes / 4 }, (_, i) => 4 * i));
});

it("is told in the codecs' README: every status, flag and field, by its number", () => {
  const readme = readFileSync("native/codecs/README.md", "utf8");
  const { enums, structs } = readDescription(readFileSync("native/layouts/codecs.json", "utf8"));
  const rows = [...readme.matchAll(/^\| (−?\d+) +\| `(\w+)`/gm)].map(([, code, name]) => [
    name,
    Number(code.replace("−", "-")),
  ]);
  const codes = Object.entries({ ...enums.Status.values, ...enums.Refusal.values });
  expect(rows).toEqual(codes.map(([name, [code]]) => [name, code]));
  const flags = /^Flags: (.*)\.$/m.exec(readme)?.[1].match(/\d+/g)?.map(Number);
  expect(flags).toEqual(Object.values(enums.Flag.values).map(([value]) => value));
  const fields = /^`(format, [^`]*)`/m.exec(readme)?.[1].split(/,\s+/);
  expect(fields).toEqual(structs.find(({ name }) => name === "Info")?.fields.map(({ name }) => name));
});
