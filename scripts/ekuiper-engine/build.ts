/** Builds kuiperd, LF Edge eKuiper's engine, once for each release, into .cache/. */
import { execFile, spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CommandError } from "../command-line/command.ts";
import {
  DEFAULT_VERSION,
  digestOf,
  fetchSource,
  GO_VERSION,
  goEnvironment,
  type Recipe,
  recipeOf,
  whyNoSource,
} from "./engine-source.ts";
import { holdLock } from "./lock.ts";
import { isOlder } from "./versions.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const executable = process.platform === "win32" ? "kuiperd.exe" : "kuiperd";

/** Thrown if Go is missing or too old. The message says what to install. */
export class GoMissing extends CommandError {
  override name = "GoMissing";
}

/** A kuiperd that is ready to run. */
export interface EngineBuild {
  /** The release of eKuiper, for example 2.4.2. */
  version: string;
  /** The path of the executable. */
  binary: string;
  /** The configuration folder that belongs to this version of eKuiper. */
  etc: string;
  /** The duration of the build in seconds; 0 if it was in the cache. */
  seconds: number;
}

/** The progress of a build. */
export interface BuildState {
  /** Seconds since it began. */
  readonly seconds: number;
  /** Go modules that are not on this machine are fetched first. */
  readonly phase: "fetching" | "compiling";
  /** The number of Go modules fetched besides eKuiper itself, without those that Go's cache already has. */
  readonly modules: number;
  /** The number of Go packages compiled. */
  readonly packages: number;
  /** The number of packages in total: fewer are compiled if Go has some of them in its cache. 0 during fetching. */
  readonly total: number;
}

/** Called about every second while the engine is built. */
export type BuildProgress = (state: BuildState) => void;

export interface BuildOptions {
  /** The release; 2.4.2 unless set. */
  version?: string;
  /** Whether its sinks can compress: few callers need that, and it makes the build longer. */
  compression?: boolean;
  progress?: BuildProgress;
  signal?: AbortSignal;
  /** The folder of the builds; .cache/ of this checkout unless set. */
  cache?: string;
}

/**
 * Returns the engine of a release. It comes from the cache if it was built before: then Go is not needed. Only one
 * engine is built at a time, also across processes.
 *
 * @throws GoMissing if it has to be built, and Go is missing or too old.
 * @throws CommandError if the release's source is not available.
 */
export async function buildEngine(options: BuildOptions = {}): Promise<EngineBuild> {
  const build = plan(options);
  if (existsSync(build.binary)) return { ...build, seconds: 0 };
  await requireGo();
  const parent = dirname(build.folder);
  await mkdir(parent, { recursive: true });
  const release = await holdLock(join(parent, "kuiperd.lock"), options.signal);
  try {
    if (existsSync(build.binary)) return { ...build, seconds: 0 }; // Built by the previous holder of the lock.
    return { ...build, seconds: await compile(build, options) };
  } finally {
    await release();
  }
}

/** Why the release is not on this machine and cannot be built; undefined if it is or can be. */
export async function whyNoEngine({ version, cache }: BuildOptions = {}): Promise<string | undefined> {
  const build = plan({ ...(version && { version }), ...(cache && { cache }) });
  if (existsSync(build.binary)) return undefined;
  try {
    await requireGo();
  } catch (error) {
    if (error instanceof GoMissing) return error.message;
    throw error;
  }
  return whyNoSource(build.version);
}

interface Plan extends Omit<EngineBuild, "seconds"> {
  folder: string;
  recipe: Recipe;
}

function plan({ version = DEFAULT_VERSION, compression, cache = join(root, ".cache") }: BuildOptions): Plan {
  const recipe = recipeOf(version, compression);
  const folder = join(cache, `kuiperd-${version}-${digestOf(recipe)}`);
  return { version, recipe, folder, binary: join(folder, executable), etc: join(folder, "etc") };
}

/** @returns The duration in seconds. */
async function compile({ version, recipe, folder, binary }: Plan, { progress, signal }: BuildOptions): Promise<number> {
  const start = performance.now();
  const state = { phase: "fetching" as BuildState["phase"], modules: 0, packages: 0, total: 0 };
  const tell = () => progress?.({ ...state, seconds: (performance.now() - start) / 1000 });
  const timer = setInterval(tell, 1000);
  // Built in a temporary folder and renamed when complete, so that an interrupted build does no harm.
  const aside = await mkdtemp(join(dirname(folder), "kuiperd-build-"));
  const removeAside = () => rmSync(aside, { recursive: true, force: true });
  process.once("exit", removeAside);
  try {
    tell();
    const sources = join(aside, "sources");
    await mkdir(sources);
    const source = await fetchSource(version, sources, signal);
    const { tags, ldflags } = recipe;
    const options = [...source.options, "-tags", tags, "./cmd/kuiperd"];
    // Fetches the modules that go build needs, and counts them.
    const counted = { line: () => state.total++, fetched: () => state.modules++ };
    await runGo(["list", "-deps", ...options], source.folder, { signal, ...counted });
    Object.assign(state, { phase: "compiling" });
    tell();
    const made = join(aside, "made");
    // With -v, go prints a line for each package that it compiles.
    const args = ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", join(made, executable)];
    await runGo([...args, ...options], source.folder, { signal, line: () => state.packages++ });
    await copyEtc(source.folder, join(made, "etc"));
    await rename(made, folder).catch((error) => {
      if (!existsSync(binary)) throw error; // If the rename fails, another process was faster, and its build is just as good.
    });
  } finally {
    clearInterval(timer);
    removeAside();
    process.off("exit", removeAside);
  }
  return (performance.now() - start) / 1000;
}

async function requireGo(): Promise<void> {
  const fix = `Install Go ${GO_VERSION} or newer (https://go.dev/dl/) and put it on PATH: eKuiper's engine is built with it.`;
  const found = await promisify(execFile)("go", ["version"], { cwd: tmpdir(), env: goEnvironment() }).catch(
    () => undefined,
  );
  if (found === undefined) throw new GoMissing(`Go was not found. ${fix}`);
  const version = /go(\d[\w.]*)/.exec(found.stdout)?.[1] ?? "0";
  if (isOlder(version, GO_VERSION)) throw new GoMissing(`Go ${version} is too old. ${fix}`);
}

interface GoRun {
  readonly signal: AbortSignal | undefined;
  /** Receives each package that go names on either output. */
  line(): void;
  /** Receives each module that go begins to fetch. */
  fetched?(): void;
}

function runGo(args: readonly string[], cwd: string, { signal, line, fetched }: GoRun): Promise<void> {
  const child = spawn("go", args, { cwd, env: goEnvironment(), signal, stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => child.kill();
  process.once("exit", kill);
  const lastLines: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on("line", (text) => {
      if (/^[\w./-]+$/.test(text)) line();
      else if (text.startsWith("go: downloading")) fetched?.();
      else lastLines.push(text);
    });
  }
  return new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killedBy) => {
      if (code === 0) return resolve();
      const what = killedBy === null ? `go ${args[0]}` : `go ${args[0]} was ended by ${killedBy}`;
      reject(new Error(`The build of eKuiper's engine failed (${what}):\n${lastLines.slice(-20).join("\n")}`));
    });
  }).finally(() => process.off("exit", kill));
}

/** Go's module cache is read-only, and a copy with the same permissions could not be removed. */
async function copyEtc(sourceFolder: string, to: string): Promise<void> {
  const from = join(sourceFolder, "etc");
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    const target = join(to, join(entry.parentPath, entry.name).slice(from.length));
    if (entry.isDirectory()) {
      await mkdir(target, { recursive: true });
    } else {
      await mkdir(dirname(target), { recursive: true });
      await cp(join(entry.parentPath, entry.name), target);
      await chmod(target, 0o644);
    }
  }
}
