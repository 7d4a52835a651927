/** Reads a description of what C and TypeScript share (native/layouts/*.json) and computes the offset of each field. */
import * as z from "zod";

const note = z.optional(z.string());
const declared = z.readonly(z.tuple([z.string()], z.string()));

/**
 * What TypeScript does with a structure: `fields` reads and writes single fields in memory, `read` reads all of it,
 * `size` knows only its size. Structures of parameters name their kernels instead; the others are parts of other
 * structures.
 */
const access = z.enum(["fields", "read", "size"]);

const schema = z.strictObject({
  about: z.string(),
  header: z.string(),
  typescript: z.string(),
  /** The indentation, in spaces; 4 if absent. */
  indent: z.optional(z.int()),
  /** The prefix of the functions' names in C. */
  functionPrefix: note,
  constants: z.record(z.string(), z.readonly(z.tuple([z.int()], z.string()))),
  enums: z.record(
    z.string(),
    z.strictObject({
      about: z.string(),
      prefix: z.string(),
      values: z.record(z.string(), z.readonly(z.tuple([z.int()], z.string()))),
    }),
  ),
  structs: z.record(
    z.string(),
    z.strictObject({
      about: z.string(),
      kernels: z.optional(z.array(z.string())),
      access: z.optional(access),
      fields: z.array(declared),
    }),
  ),
  functions: z.array(declared),
});

export type Description = Omit<z.infer<typeof schema>, "structs" | "functions"> & {
  readonly structs: readonly Struct[];
  readonly functions: readonly Prototype[];
};

/** Types of a single value, with their sizes in bytes. An enum is an int32_t. */
const SCALARS = { int8_t: 1, uint8_t: 1, int16_t: 2, uint16_t: 2, int32_t: 4, uint32_t: 4, float: 4, double: 8 };
export type Scalar = keyof typeof SCALARS;

export type FieldType =
  | { readonly kind: "scalar"; readonly scalar: Scalar }
  | { readonly kind: "enum"; readonly name: string }
  | { readonly kind: "pointer"; readonly target: string }
  | { readonly kind: "struct"; readonly struct: Struct };

export interface Field {
  readonly name: string;
  /** The name in C. */
  readonly declaration: string;
  readonly type: FieldType;
  /**
   * The number of values of an array, over all dimensions; 0 for an array of any length at the end of a structure;
   * undefined for a single value.
   */
  readonly length: number | undefined;
  /** The offset from the start of the structure, in bytes. */
  readonly offset: number;
  readonly about: string | undefined;
}

export interface Struct {
  readonly name: string;
  readonly about: string;
  readonly kernels: readonly string[];
  readonly access: z.infer<typeof access> | undefined;
  readonly fields: readonly Field[];
  readonly bytes: number;
  readonly alignment: number;
}

export interface Prototype {
  readonly name: string;
  /** The type that it returns, in C. */
  readonly result: string;
  readonly parameters: readonly { readonly name: string; readonly declaration: string }[];
  readonly about: string | undefined;
}

/** Thrown if the description contradicts itself, or contains something unknown. */
export class DescriptionError extends Error {
  override name = "DescriptionError";
}

const DECLARATION = /^(const )?(struct )?(\w+) (\*)?(\w+)((?:\[\w*\])*)$/;
const PROTOTYPE = /^((?:const )?(?:struct )?\w+ \*?)(\w+)\((.*)\)$/;
/** The name in the declaration of a parameter: `int32_t reduction`, `const float *from`, `int16_t (*rest)[8]`. */
const PARAMETER = /(?:\(\*(\w+)\)|(\w+))(?:\[\d+\])*$/;

const bytesOf = (type: FieldType): number => {
  if (type.kind === "struct") return type.struct.bytes;
  return type.kind === "scalar" ? SCALARS[type.scalar] : 4;
};

const alignmentOf = (type: FieldType): number => (type.kind === "struct" ? type.struct.alignment : bytesOf(type));

/** Declares an enum as an int: C leaves the type of an enum to the compiler. */
const inC = (declaration: string, type: FieldType): string =>
  type.kind === "enum" ? declaration.replace(type.name, "int32_t") : declaration;

const align = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

/** @throws DescriptionError */
export function readDescription(text: string): Description {
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new DescriptionError(z.prettifyError(parsed.error));
  const { structs: given, functions, ...rest } = parsed.data;
  const structs = new Map<string, Struct>();

  const typeOf = (where: string, [, , struct, name, pointer]: RegExpExecArray): FieldType => {
    if (pointer !== undefined) return { kind: "pointer", target: name };
    if (struct !== undefined) {
      const known = structs.get(name);
      if (known === undefined) throw new DescriptionError(`${where}: struct ${name} is not described before it`);
      return { kind: "struct", struct: known };
    }
    if (name in SCALARS) return { kind: "scalar", scalar: name as Scalar };
    if (name in rest.enums) return { kind: "enum", name };
    throw new DescriptionError(`${where}: ${name} is neither one of ${Object.keys(SCALARS)} nor an enum`);
  };
  const lengthOf = (where: string, dimension: string): number => {
    if (dimension === "") return 0;
    const length = /^\d+$/.test(dimension) ? Number(dimension) : rest.constants[dimension]?.[0];
    if (length === undefined) throw new DescriptionError(`${where}: ${dimension} is not a constant`);
    return length;
  };

  for (const [name, { about, kernels = [], access, fields: declarations }] of Object.entries(given)) {
    const fields: Field[] = [];
    let [end, alignment] = [0, 1];
    for (const [declaration, aboutField] of declarations) {
      const where = `struct ${name}, "${declaration}"`;
      const match = DECLARATION.exec(declaration);
      if (match === null) throw new DescriptionError(`${where} is not a declaration`);
      const type = typeOf(where, match);
      const lengths = [...match[6].matchAll(/\[(\w*)\]/g)].map(([, length]) => lengthOf(where, length));
      const length = lengths.length === 0 ? undefined : lengths.reduce((product, factor) => product * factor);
      const offset = align(end, alignmentOf(type));
      fields.push({ name: match[5], declaration: inC(declaration, type), type, length, offset, about: aboutField });
      end = offset + (length ?? 1) * bytesOf(type);
      alignment = Math.max(alignment, alignmentOf(type));
    }
    structs.set(name, { name, about, kernels, access, fields, bytes: align(end, alignment), alignment });
  }
  return { ...rest, structs: [...structs.values()], functions: functions.map(readFunction) };
}

function readFunction([declaration, about]: readonly [string, ...string[]]): Prototype {
  const match = PROTOTYPE.exec(declaration);
  if (match === null) throw new DescriptionError(`"${declaration}" is not a declaration of a function`);
  const [, result, name, list] = match;
  const parameters = list === "void" ? [] : list.split(", ");
  return {
    name,
    result: result.trimEnd(),
    about,
    parameters: parameters.map((parameter) => {
      const named = PARAMETER.exec(parameter);
      if (named === null) throw new DescriptionError(`"${declaration}": ${parameter} has no name`);
      return { name: named[1] ?? named[2], declaration: parameter };
    }),
  };
}
