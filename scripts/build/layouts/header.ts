/**
 * Renders a description as a C header: constants, enums, structures whose layout the compiler checks, prototypes of
 * exports.
 */
import { comment } from "./comment.ts";
import type { Description, Field, Prototype, Struct } from "./description.ts";

const WIDTH = 120;

interface Line {
  readonly code: string;
  readonly about: string | undefined;
}

/** Comments start in one column behind the code, or stand above a line that would become too long. */
function aligned(lines: readonly Line[], indent: string): string[] {
  const fits = (line: Line, column: number) => column + ` /* ${line.about} */`.length <= WIDTH;
  const noted = lines.filter((line) => line.about !== undefined);
  const widest = (among: readonly Line[]) => Math.max(0, ...among.map(({ code }) => indent.length + code.length));
  const column = widest(noted.filter((line) => fits(line, widest(noted))));
  return lines.flatMap(({ code, about }) => {
    const line = indent + code;
    if (about === undefined) return [line];
    if (!fits({ code, about }, column) || line.length > column) return [comment(about, indent), line];
    return [`${line.padEnd(column)} /* ${about} */`];
  });
}

const noteOf = ({ type, about }: Field): string | undefined =>
  type.kind === "enum" ? [`enum ${type.name}`, ...(about === undefined ? [] : [about])].join("; ") : about;

function enumOf(name: string, { about, prefix, values }: Description["enums"][string], indent: string): string {
  const lines = Object.entries(values).map(([key, [value, note]]) => ({
    code: `${prefix}${key} = ${value},`,
    about: note,
  }));
  return [comment(about), `enum ${name} {`, ...aligned(lines, indent), "};"].join("\n");
}

function structOf({ name, about, fields }: Struct, indent: string): string {
  const lines = fields.map((field) => ({ code: `${field.declaration};`, about: noteOf(field) }));
  return [comment(about), `struct ${name} {`, ...aligned(lines, indent), "};"].join("\n");
}

const checksOf = ({ name, fields, bytes }: Struct): string =>
  [
    ...fields.map(({ name: field, offset }) => {
      return `_Static_assert(offsetof(struct ${name}, ${field}) == ${offset}, "struct ${name}: ${field}");`;
    }),
    `_Static_assert(sizeof(struct ${name}) == ${bytes}, "struct ${name}");`,
  ].join("\n");

/** Parameters that do not fit on one line continue below the first. */
function wrapped(begin: string, parameters: readonly string[]): string {
  const lines = [begin];
  for (const [i, parameter] of parameters.entries()) {
    const text = parameter + (i < parameters.length - 1 ? "," : ");");
    const line = lines[lines.length - 1];
    const separator = i === 0 ? "" : " ";
    if (line.length + separator.length + text.length <= WIDTH) lines[lines.length - 1] = line + separator + text;
    else lines.push(" ".repeat(begin.length) + text);
  }
  return lines.join("\n");
}

function prototypeOf({ name, result, parameters, about }: Prototype, prefix: string): string {
  const declarations = parameters.length === 0 ? ["void"] : parameters.map(({ declaration }) => declaration);
  const space = result.endsWith("*") ? "" : " ";
  const prototype = wrapped(`${result}${space}${prefix}${name}(`, declarations);
  return about === undefined ? prototype : `${comment(about)}\n${prototype}`;
}

const kernelsOf = ({ name, kernels }: Struct): string[] =>
  kernels.map((kernel) => `void ${kernel}(const struct ${name} *s);`);

/** @param source The file of the description. */
export function headerOf(description: Description, source: string): string {
  const { about, header, constants, enums, structs, functions, functionPrefix = "" } = description;
  const indent = " ".repeat(description.indent ?? 4);
  const guard = header.replace(/^native\//, "").replace(/src\/|\W/g, (text) => (text === "src/" ? "" : "_"));
  const constantLines = Object.entries(constants).map(([name, [value, note]]) => ({
    code: `${name} = ${value},`,
    about: note,
  }));
  const blocks = [
    `/* Made from ${source} by \`npm run layouts\`: do not edit. */\n/* clang-format off */`,
    comment(about),
    `#ifndef ${guard.toUpperCase()}\n#define ${guard.toUpperCase()}`,
    "#include <stddef.h>\n#include <stdint.h>",
    `enum {\n${aligned(constantLines, indent).join("\n")}\n};`,
    ...Object.entries(enums).map(([name, given]) => enumOf(name, given, indent)),
    ...structs.map((struct) => structOf(struct, indent)),
    structs.flatMap(kernelsOf).join("\n"),
    ...functions.map((given) => prototypeOf(given, functionPrefix)),
    `/* The layout that TypeScript writes and reads. */\n${structs.map(checksOf).join("\n")}`,
    "#endif",
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}
