/**
 * What compiled programs of others contain that a package brings along or depends on: the list of embedded.json. workerd's
 * part is that of MODULE.bazel, build/deps and deps/rust in its sources, that of tfjs's wasm its BUILD files' dependencies.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "node:path";

export interface Embedded {
  readonly name: string;
  /** Undefined where the program does not state it. */
  readonly version: string | undefined;
  /** An SPDX expression. */
  readonly licence: string;
  readonly copyright: string;
  readonly url: string;
}

type Row = readonly [name: string, licence: string, copyright: string, url: string];

const TEXTS = new URL("licences/", import.meta.url);
const rows: Readonly<Record<string, readonly Row[]>> = JSON.parse(
  readFileSync(new URL("embedded.json", import.meta.url), "utf8"),
);

/** What is in each program, by the name of its npm package; "edge-labeler codecs" is codecs.wasm. */
export const EMBEDDED: ReadonlyMap<string, readonly Embedded[]> = new Map(
  Object.entries(rows).map(([program, list]) => [
    program,
    list.map(([text, licence, copyright, url]) => {
      const [, name, version] = /^(.*?)(?: ([\d.]+))?$/.exec(text) ?? [];
      return { name, version, licence, copyright, url };
    }),
  ]),
);

/** The standard texts of the licences. */
function texts(): string[] {
  return readdirSync(TEXTS)
    .sort()
    .map((name) => `${parse(name).name}\n\n${readFileSync(new URL(name, TEXTS), "utf8")}`);
}

/** The notices of a program's contents, followed by the texts of the licences that they name. @param programs Their names. */
export function embeddedNotice(programs: readonly string[]): string {
  const parts = programs.map((program) => {
    const list = EMBEDDED.get(program) ?? [];
    const lines = list.map(
      ({ name, licence, copyright, url }) => `  ${name}\n    ${licence}\n    ${copyright}\n    ${url}\n`,
    );
    return `What ${program} contains\n\n${lines.join("")}`;
  });
  const common =
    "Apache-2.0 is the text of LICENSE. The texts of the other licences follow; each applies to the programs that name it.\n";
  return [...parts, common, ...texts()].join(`\n${"-".repeat(78)}\n\n`);
}
