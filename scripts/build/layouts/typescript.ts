/**
 * Renders a description as TypeScript: constants, enums, typed parameters of kernels and their words, fields of
 * structures.
 */
import { jsDoc } from "./comment.ts";
import type { Description, Field, FieldType, Prototype, Scalar, Struct } from "./description.ts";

/** The function of worker/inference/plan/fields.ts that reads and writes a value in memory, by type. */
const ACCESS: { readonly [scalar in Scalar]: string } = {
  int8_t: "int8",
  uint8_t: "uint8",
  int16_t: "int16",
  uint16_t: "uint16",
  int32_t: "int32",
  uint32_t: "uint32",
  float: "float32",
  double: "float64",
};

/** in_height → inHeight; SQUARED_DIFFERENCE → squaredDifference. */
const camel = (name: string): string => {
  const lower = name === name.toUpperCase() ? name.toLowerCase() : name;
  return lower.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
};

/** DepthwisePanel → DEPTHWISE_PANEL */
const upper = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toUpperCase();

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

const lines = (...parts: readonly (string | readonly string[])[]): string => parts.flat().join("\n");

/** A comment on the next declaration, which is indented by `depth`. */
const doc = (about: string | undefined, depth = 0): string[] => (about === undefined ? [] : [jsDoc(about, depth)]);

const constantsOf = (constants: Description["constants"]): string[] =>
  Object.entries(constants).map(([name, [value, about]]) => lines(doc(about), `export const ${name} = ${value};`));

const enumOf = (name: string, { about, values }: Description["enums"][string]): string =>
  lines(
    doc(about),
    `export const ${name} = {`,
    Object.entries(values).map(([key, [value, note]]) => lines(doc(note, 2), `${camel(key)}: ${value},`)),
    "} as const;",
    `export type ${name} = (typeof ${name})[keyof typeof ${name}];`,
  );

/** The TypeScript type of a single value. */
const valueType = (type: FieldType): string => {
  if (type.kind === "pointer") return "Address";
  return type.kind === "enum" ? type.name : type.kind === "struct" ? type.struct.name : "number";
};

function fieldType({ type, length }: Field): string {
  const one = valueType(type);
  return length === undefined ? one : `readonly [${Array.from({ length }, () => one).join(", ")}]`;
}

const interfaceOf = ({ name, about, fields }: Struct): string =>
  lines(
    doc(about),
    `export interface ${name} {`,
    fields.map((field) => lines(doc(field.about, 2), `readonly ${camel(field.name)}: ${fieldType(field)};`)),
    "}",
  );

/** The words of one field of `from`. */
function wordsOfField(field: Field, from: string): string[] {
  const { type, length } = field;
  const path = `${from}.${camel(field.name)}`;
  if (type.kind === "struct") return type.struct.fields.flatMap((inner) => wordsOfField(inner, path));
  const isFloat = type.kind === "scalar" && type.scalar === "float";
  if (length !== undefined) return [`...${path}${isFloat ? ".map(f32)" : ""}`];
  return [isFloat ? `f32(${path})` : path];
}

/** @throws Error if a field does not consist of words of four bytes. */
function writerOf(struct: Struct): string {
  const { name, fields, bytes } = struct;
  const words = fields.reduce((sum, { type, length = 1 }) => {
    return sum + length * (type.kind === "struct" ? type.struct.bytes / 4 : 1);
  }, 0);
  if (4 * words !== bytes) throw new Error(`struct ${name} has fields that are not words of four bytes`);
  return lines(
    `const ${lowerFirst(name)}Words = (s: ${name}): readonly Word[] => [`,
    fields.flatMap((field) => wordsOfField(field, "s")).map((word) => `${word},`),
    "];",
  );
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(" | ");

function kernelsOf(structs: readonly Struct[]): string {
  return lines(
    structs.map(({ name, kernels }) => {
      return lines(doc(`The kernels that take ${name}.`), `export type ${name}Kernel = ${quoted(kernels)};`, "");
    }),
    `export type KernelName = ${structs.map(({ name }) => `${name}Kernel`).join(" | ")};`,
    "",
    doc("A kernel and its parameters. What they point to may still have no address."),
    "export type KernelCall =",
    structs.map(({ name }) => `  | { readonly kernel: ${name}Kernel; readonly parameters: ${name} }`),
    ";\n",
    doc("The parameters of a kernel in the order in which they lie in memory."),
    "export function parameterWords({ kernel, parameters }: KernelCall): readonly Word[] {",
    "switch (kernel) {",
    structs.map(({ name, kernels }) => {
      return lines(
        kernels.map((kernel) => `case "${kernel}":`),
        `return ${lowerFirst(name)}Words(parameters);`,
      );
    }),
    "}\n}",
  );
}

/** Fields in memory; for a structure within a structure, only its offset. */
function accessOf({ name, about, fields, bytes }: Struct): string {
  const named = fields.filter((field) => !field.name.startsWith("unused"));
  const access = named.map(({ name: field, type, offset, about: note }) => {
    const value = type.kind === "scalar" ? `${ACCESS[type.scalar]}(${offset})` : String(offset);
    return lines(doc(note, 2), `${camel(field)}: ${value},`);
  });
  return lines(
    doc(about),
    `export const ${upper(name)} = {`,
    doc("Its size."),
    `bytes: ${bytes},`,
    access,
    "} as const;",
  );
}

function readerOf({ name, fields, bytes }: Struct): string {
  const whole = fields.every(({ type, length }) => {
    return length === undefined && (type.kind === "enum" || (type.kind === "scalar" && type.scalar === "int32_t"));
  });
  if (!whole) throw new Error(`struct ${name} is read, so all of its fields have to be int32_t`);
  return lines(
    doc(`Reads struct ${name}.`),
    `export function read${name}(buffer: ArrayBufferLike, address: number): ${name} {`,
    `const words = new Int32Array(buffer, address, ${bytes / 4});`,
    "return {",
    fields.map(({ name: field, type, offset }) => {
      return `${camel(field)}: words[${offset / 4}]${type.kind === "enum" ? ` as ${type.name}` : ""},`;
    }),
    "};\n}",
  );
}

function functionOf({ name, result, parameters, about }: Prototype): string {
  const list = parameters.map((parameter) => `${camel(parameter.name)}: number`).join(", ");
  return lines(doc(about, 2), `${name}(${list}): ${result === "void" ? "void" : "number"};`);
}

const bytesOf = ({ name, bytes }: Struct): string =>
  lines(doc(`The size of struct ${name}.`), `export const ${upper(name)}_BYTES = ${bytes};`);

/** The exports of the module, for TypeScript. */
const exportsOf = (kernels: boolean, functions: readonly Prototype[]): string =>
  lines(
    doc("The functions that the module exports. Addresses are numbers."),
    "export interface Exports {",
    functions.map(functionOf),
    "}",
    kernels ? "\nexport type Kernels = Exports & { readonly [name in KernelName]: (parameters: number) => void };" : "",
  );

/** @param source The file of the description. @returns Code that is not formatted yet. */
export function typescriptOf(description: Description, source: string): string {
  const { about, constants, enums, structs, functions } = description;
  const parameters = structs.filter(({ kernels }) => kernels.length > 0);
  const having = (access: Struct["access"]) => structs.filter((struct) => struct.access === access);
  const parts = having(undefined).filter(({ kernels }) => kernels.length === 0);
  const types = new Set(
    having("fields").flatMap(({ fields }) => {
      return fields.flatMap(({ name, type }) => {
        return type.kind === "scalar" && !name.startsWith("unused") ? [ACCESS[type.scalar]] : [];
      });
    }),
  );
  const blocks = [
    lines(`// Made from ${source} by \`npm run layouts\`: do not edit.`, doc(about)),
    lines(
      types.size > 0 ? [`import { ${[...types].sort().join(", ")} } from "./fields.ts";`] : [],
      parameters.length > 0 ? [`import { type Address, f32, type Word } from "./word.ts";`] : [],
    ),
    ...constantsOf(constants),
    ...Object.entries(enums).map(([name, given]) => enumOf(name, given)),
    ...[...parts, ...parameters, ...having("read")].map(interfaceOf),
    ...[...parameters, ...having("size")].map(bytesOf),
    ...parameters.map(writerOf),
    parameters.length > 0 ? kernelsOf(parameters) : "",
    ...having("fields").map(accessOf),
    ...having("read").map(readerOf),
    exportsOf(parameters.length > 0, functions),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}
