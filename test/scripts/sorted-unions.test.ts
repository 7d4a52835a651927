/** Declarations of the typed client are the same whatever order TypeScript lists the types of a union in. */
import { expect, it } from "vitest";
import { sortUnions } from "../../scripts/user/package/sorted-unions.ts";

/** The permutations of a few values. */
const permutations = <T>(values: readonly T[]): T[][] =>
  values.length < 2
    ? [[...values]]
    : values.flatMap((value, at) => permutations(values.toSpliced(at, 1)).map((rest) => [value, ...rest]));

const inner = ["                z: 1;\n", "                a: 2;\n                b: {};\n"];
const outer = (details: string) => [
  "            output: Uint8Array;\n            status: 200;\n",
  `            output: {\n${details}            };\n            status: 400;\n`,
  "            output: number[];\n",
];
const declarations = (types: readonly string[]) =>
  `declare const client: {\n    first: {\n        $post: {\n${types.join("        } | {\n")}        };\n` +
  '        $get: {\n            output: "b" | "a";\n        };\n    };\n};\n';

it("sorts the object types of a union and of the unions in it", () => {
  const given = permutations(inner)
    .map((types) => types.join("            } | {\n"))
    .flatMap((details) => permutations(outer(details)).map(declarations));
  expect(new Set(given).size).toBe(12);
  const sorted = outer(inner.toReversed().join("            } | {\n"));
  expect(new Set(given.map(sortUnions))).toEqual(new Set([declarations([sorted[0], sorted[2], sorted[1]])]));
});

it("leaves alone what is not a union of object types", () => {
  const text = declarations([outer("                a: 1;\n")[1] ?? ""]);
  expect(sortUnions(text)).toBe(text);
});
