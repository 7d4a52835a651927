/** Writes workerd's configuration beside a bundled script that is the only Worker of a process. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface BundledWorker {
  /** The folder of index.js. The modules and the configuration are written here. */
  readonly folder: string;
  /** The path of each WebAssembly file by the name of its module; see wasmModules(). */
  readonly wasm: ReadonlyMap<string, string>;
  readonly compatibilityDate: string;
  readonly compatibilityFlags?: readonly string[];
  readonly v8Flags?: readonly string[];
  /** A folder that the Worker reads as the service MODELS. */
  readonly models?: string;
  /** The name of the configuration file; config.capnp unless set. */
  readonly file?: string;
}

const text = (value: string) => JSON.stringify(value);
const list = (values: readonly string[]) => `[${values.join(", ")}]`;

/** @returns The path of workerd's configuration, which listens on any free port of loopback. */
export function writeWorkerConfig({
  folder,
  wasm,
  compatibilityDate,
  compatibilityFlags = [],
  v8Flags = [],
  models,
  file = "config.capnp",
}: BundledWorker): string {
  for (const [name, path] of wasm) writeFileSync(join(folder, name), readFileSync(path));
  const modules = [...wasm.keys()].map((name) => `(name = ${text(name)}, wasm = embed ${text(name)})`);
  const disk = models === undefined ? [] : [`(name = "models", disk = (path = ${text(resolve(models))}))`];
  const bindings = models === undefined ? [] : [`(name = "MODELS", service = "models")`];
  const config = join(folder, file);
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ${list(v8Flags.map(text))},
  services = ${list([`(name = "main", worker = .worker)`, ...disk])},
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = ${list([`(name = "index.js", esModule = embed "index.js")`, ...modules])},
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = ${list(compatibilityFlags.map(text))},
  bindings = ${list(bindings)},
);
`,
  );
  return config;
}
