/**
 * What compiled programs of others contain that a package brings along or depends on: the list of embedded.json. It is
 * written by hand, since neither program comes with one: workerd's part after MODULE.bazel, build/deps and deps/rust in its
 * sources, that of tfjs's wasm after the dependencies in its BUILD files, and licences after the projects' own files.
 * partsOfWorkerd() finds what the list must have at least.
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

/** The parts are the names in workerd's program: of repositories of its build, and of crates. */
type Row = readonly [name: string, licence: string, copyright: string, url: string, parts?: readonly string[]];

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

/** The parts of workerd's program that the list has. */
export const LISTED_PARTS: readonly string[] = (rows.workerd ?? []).flatMap(([, , , , parts = []]) => parts);

/** The path of a source in an error message of the program: "external/boringssl+/…", "external/…crates_vendor__url-2.5.8/…". */
const SOURCE =
  /external\/(?:\+\w+\+|rules_rust\+\+crate\+crates_vendor__)?([A-Za-z][\w-]*?)(?:-\d+\.\d+\.\d+[\w.+-]*)?\+?\//g;

/**
 * @param program The bytes of workerd's program.
 * @returns The repositories and crates that it was compiled from and whose paths are in its messages, which most are.
 */
export function partsOfWorkerd(program: Buffer): ReadonlySet<string> {
  const parts = new Set<string>();
  const MARK = "external/";
  for (let at = program.indexOf(MARK); at >= 0; at = program.indexOf(MARK, at + MARK.length)) {
    const [found] = program.toString("latin1", at, at + 120).matchAll(SOURCE);
    if (found?.index === 0 && found[1] !== undefined) parts.add(found[1]);
  }
  return parts;
}

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
