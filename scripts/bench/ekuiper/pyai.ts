/** The plugin `pyai` of eKuiper's tutorial, made to run on eKuiper 2.4.2: its zip from eKuiper's module, its Python packages. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { DEFAULT_VERSION, moduleFolder } from "../../ekuiper-engine/engine-source.ts";

const COMMON = [`ekuiper==${DEFAULT_VERSION}`, "Pillow==12.2.0"];
/** What the plugin asks for, and what stands in where that has no build for this Python or machine. */
const RUNTIMES = [
  { packages: ["tflite-runtime==2.14.0", "numpy<2"], module: "tflite_runtime.interpreter" },
  { packages: ["ai-edge-litert==2.3.0", "numpy"], module: "ai_edge_litert.interpreter" },
];

export interface Pyai {
  /** The Python that has its packages. */
  readonly python: string;
  /** What runs the model, with its version. */
  readonly runtime: string;
  readonly zip: Uint8Array;
}

/** Installs pyai's packages into .cache/ unless they are there, and makes its zip. */
export async function preparePyai(python: string): Promise<Pyai> {
  const failures: string[] = [];
  for (const { packages, module } of RUNTIMES) {
    try {
      const venv = makeVenv(python, [...COMMON, ...packages]);
      return { python: venv, runtime: packages[0] ?? "", zip: await patchedZip(module) };
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`pyai's Python packages cannot be installed:\n${failures.join("\n")}`);
}

function makeVenv(python: string, packages: string[]): string {
  const version = execFileSync(python, ["--version"]).toString();
  const hash = createHash("sha256")
    .update(JSON.stringify([version, packages]))
    .digest("hex")
    .slice(0, 12);
  const folder = join(".cache", `pyai-${hash}`);
  const complete = join(folder, "complete");
  const binary = join(process.cwd(), folder, "bin/python");
  if (existsSync(complete)) return binary;
  console.error(`installing pyai's packages: ${packages.join(", ")}`);
  rmSync(folder, { recursive: true, force: true });
  for (const [program, args] of [
    [python, ["-m", "venv", folder]],
    [binary, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]],
  ] as const) {
    const { status, stderr, error } = spawnSync(program, args);
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
  }
  mkdirSync(`${complete}.new`);
  renameSync(`${complete}.new`, complete);
  return binary;
}

/** As eKuiper ships it, but for the three things without which 2.4.2 does not run it. */
async function patchedZip(module: string): Promise<Uint8Array> {
  const files = unzipSync(readFileSync(join(await moduleFolder(DEFAULT_VERSION), "docs/resources/pyai.zip")));
  const edit = (name: string, from: string, to: string) => {
    const text = Buffer.from(files[name] ?? []).toString("utf8");
    if (!text.includes(from)) throw new Error(`pyai's ${name} has no "${from}"`);
    files[name] = Buffer.from(text.replace(from, to));
  };
  // 2.4.2 starts a plugin in its own folder.
  edit("label.py", "cwd = 'plugins/portable/pyai/'", "cwd = ''");
  edit("label.py", "tflite_runtime.interpreter", module);
  // The packages are in the virtual environment; the system's pip may refuse them.
  delete files["install.sh"];
  return zipSync({ ...files, "functions/": new Uint8Array(0) }, { level: 0 });
}
