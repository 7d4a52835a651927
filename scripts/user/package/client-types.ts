/**
 * Writes the declarations of the typed client: those that TypeScript makes of worker/client.ts, with all that they import
 * from Hono, so that a program that uses the client needs no other package.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { bindingTypes } from "../../labeler/binding-types.ts";
import { Declarations } from "./needed-declarations.ts";
import { sortUnions } from "./sorted-unions.ts";

const SOURCE = "worker/client.ts";
const HONO = resolve("node_modules/hono");

/** The types of a package without types, which TypeScript reads besides SOURCE and its imports. */
const AMBIENT = "worker/upng-js.d.ts";

/** An import of a type: `from "x"` or `import("x")`. */
const IMPORT = /(\bfrom\s*|\bimport\(\s*)"([^"]+)"/g;

/** Makes the declarations of SOURCE and of all that it imports, in a folder that stands for the checkout. */
function emit(folder: string): void {
  const config = join(folder, "tsconfig.json");
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rewriteRelativeImportExtensions: true,
    outDir: folder,
    rootDir: resolve(),
    typeRoots: [],
  };
  const files = [SOURCE, AMBIENT, bindingTypes()].map((file) => resolve(file));
  const options = { extends: resolve("tsconfig.json"), compilerOptions, files, include: [], exclude: [] };
  writeFileSync(config, JSON.stringify(options));
  try {
    execFileSync(resolve("node_modules/.bin/tsc"), ["-p", config, "--singleThreaded"], {
      stdio: "pipe",
      encoding: "utf8",
    });
  } catch (error) {
    throw new Error(`The declarations of ${SOURCE} cannot be made:\n${(error as { stdout?: string }).stdout}`);
  }
}

/** The declarations that a name stands for in Hono's package.json. */
function honoTypes(name: string): string {
  const { exports } = JSON.parse(readFileSync(join(HONO, "package.json"), "utf8")) as {
    exports: Record<string, { types: string }>;
  };
  const key = `.${name.slice("hono".length)}`;
  const wild = key.replace(/[^/]+$/, "*");
  const types = exports[key]?.types ?? exports[wild]?.types.replace("*", key.slice(wild.length - 1));
  if (types === undefined) throw new Error(`Hono does not export ${name}`);
  return join(HONO, types);
}

/** The file of declarations that an import names. */
function find(name: string, importer: string): string {
  if (/^hono(\/|$)/.test(name)) return honoTypes(name);
  if (!name.startsWith(".")) throw new Error(`${importer} imports ${name}, of which a package has no declarations`);
  const path = resolve(dirname(importer), name.replace(/\.[tj]s$/, ""));
  const found = [`${path}.d.ts`, join(path, "index.d.ts")].find(existsSync);
  if (found === undefined) throw new Error(`${importer} imports ${name}, which does not exist`);
  return found;
}

/** Writes files of declarations into a folder, at other places than they have here, and with imports that fit. */
class Writer {
  readonly #folder: string;
  /** The path that a file gets in the folder. */
  readonly #place: (file: string) => string;

  constructor(folder: string, place: (file: string) => string) {
    this.#folder = folder;
    this.#place = place;
  }

  /** @returns The files that it imports. */
  write(file: string, text: string): string[] {
    const imported: string[] = [];
    const from = this.#place(file);
    const contents = sortUnions(text).replace(IMPORT, (_, before: string, name: string) => {
      const target = find(name, file);
      imported.push(target);
      const path = relative(dirname(from), this.#place(target)).replace(/\.d\.ts$/, ".js");
      return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
    });
    mkdirSync(dirname(join(this.#folder, from)), { recursive: true });
    writeFileSync(join(this.#folder, from), contents);
    return imported;
  }
}

/** The declarations of the Worker's files that those of the client need, by file. */
function neededOfWorker(entry: string): Map<string, Declarations> {
  const files = new Map<string, Declarations>();
  const need = (importer: string, { from, name }: { from: string; name: string }) => {
    if (!from.startsWith(".")) return;
    const file = find(from, importer);
    const declarations = files.get(file) ?? new Declarations(readFileSync(file, "utf8"));
    files.set(file, declarations);
    for (const other of declarations.need(name)) need(file, other);
  };
  const client = new Declarations(readFileSync(entry, "utf8"));
  for (const other of client.need("labelerClient")) need(entry, other);
  return files;
}

/**
 * Writes index.d.ts and what it imports into a folder.
 *
 * @throws Error if TypeScript refuses the client, or if it needs types of another package than Hono.
 */
export function writeClientTypes(folder: string): void {
  const made = mkdtempSync(join(tmpdir(), "edge-labeler-types-"));
  try {
    emit(made);
    const entry = join(made, SOURCE.replace(/\.ts$/, ".d.ts"));
    const writer = new Writer(folder, (file) => {
      if (file === entry) return "index.d.ts";
      if (file.startsWith(`${HONO}/`)) return join("hono", relative(join(HONO, "dist/types"), file));
      return relative(join(made, "worker"), file);
    });
    const worker = neededOfWorker(entry);
    const queue = [entry, ...worker.keys()];
    const seen = new Set(queue);
    for (const file of queue) {
      const text = worker.get(file)?.text() ?? readFileSync(file, "utf8");
      for (const target of writer.write(file, text)) {
        if (!seen.has(target)) queue.push(target);
        seen.add(target);
      }
    }
  } finally {
    rmSync(made, { recursive: true });
  }
}
