/** Calls of kernels for the program that sanitize.py builds. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A block of memory of its own. */
export interface Region {
  /** What is in it at first. */
  readonly bytes: Uint8Array;
  /** Bytes behind it that may be read and written. */
  readonly slack: number;
  readonly isOutput: boolean;
}

/** A number, or a place in one of the regions. */
export type NativeWord = number | { readonly region: number; readonly offset: number };

export interface Call {
  readonly name: string;
  readonly words: readonly NativeWord[];
  readonly regions: readonly Region[];
}

interface Layouts {
  readonly structs: Readonly<Record<string, { readonly kernels?: readonly string[] }>>;
  readonly functions: readonly (readonly [prototype: string, note: string])[];
}

const layouts: Layouts = JSON.parse(readFileSync(new URL("../../layouts/kernels.json", import.meta.url), "utf8"));

/** In the order of calls() in sanitize.py. */
const NAMES = [
  ...Object.values(layouts.structs).flatMap(({ kernels = [] }) => kernels),
  ...layouts.functions.map(([prototype]) => /(\w+)\(/.exec(prototype)?.[1] ?? ""),
];

/** Whether each parameter of a packing function is a pointer, or a float. */
export const PARAMETERS: ReadonlyMap<string, readonly ("pointer" | "float" | "integer")[]> = new Map(
  layouts.functions.map(([prototype]) => {
    const [, name = "", inner = ""] = /(\w+)\((.*)\)$/.exec(prototype) ?? [];
    const kinds = inner.split(/,(?![^(]*\))/).map((parameter) => {
      if (parameter.includes("*")) return "pointer";
      return parameter.trim().startsWith("float ") ? "float" : "integer";
    });
    return [name, kinds] as const;
  }),
);

const align = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function encode({ name, words, regions }: Call): Buffer[] {
  const pairs = words.map((word) => (typeof word === "number" ? [0, word] : [word.region + 1, word.offset]));
  const heads = regions.map(({ bytes, slack, isOutput }) => [bytes.length, slack, isOutput ? 1 : 0]);
  const numbers = [NAMES.indexOf(name), words.length, regions.length, ...pairs.flat(), ...heads.flat()];
  return [align(Int32Array.from(numbers) as never as Uint8Array), ...regions.map(({ bytes }) => align(bytes))];
}

export interface Answer {
  readonly result: number;
  /** The bytes of the regions that are outputs. */
  readonly outputs: readonly Uint8Array[];
}

/**
 * Makes calls one after the other.
 *
 * @param signed Whether the dot product of bytes takes them as signed.
 * @returns As many answers as there are until a sanitizer ends the program.
 */
export function callNative(program: string, calls: readonly Call[], signed: boolean): Answer[] {
  const { stdout, error } = spawnSync(program, {
    input: Buffer.concat(calls.flatMap(encode)),
    maxBuffer: 2 ** 30,
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      ASAN_OPTIONS: "detect_leaks=0",
      UBSAN_OPTIONS: "print_stacktrace=1",
      ...(signed && { SIGNED_DOT: "1" }),
    },
  });
  if (error) throw error;
  const answers: Answer[] = [];
  let at = 0;
  for (const { regions } of calls) {
    if (at + 4 > stdout.length) break;
    const result = stdout.readInt32LE(at);
    at += 4;
    const outputs = regions
      .filter(({ isOutput }) => isOutput)
      .map(({ bytes }) => {
        const output = stdout.subarray(at, at + bytes.length);
        at += bytes.length;
        return output;
      });
    answers.push({ result, outputs });
  }
  return answers;
}
