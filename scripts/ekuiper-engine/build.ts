/** Builds kuiperd, LF Edge eKuiper's engine, once for each release into .cache/. */
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

/** There is no Go, or it is too old. The message says what to install. */
export class GoMissing extends CommandError {
  override name = "GoMissing";
}

/** A kuiperd that is ready to run. */
export interface EngineBuild {
  /** The release of eKuiper, for example 2.4.2. */
  version: string;
  /** The executable. */
  binary: string;
  /** The configuration folder that belongs to this version of eKuiper. */
  etc: string;
  /** Seconds that the build took, 0 when it was in the cache. */
  seconds: number;
}

/** How far a build is. */
export interface BuildState {
  /** Since it began. */
  readonly seconds: number;
  /** The modules are fetched first, which need not be here. */
  readonly phase: "fetching" | "compiling";
  /** Go modules that were fetched besides eKuiper itself: those that Go has already are not among them. */
  readonly modules: number;
  /** Go packages that were compiled. */
  readonly packages: number;
  /** How many there are: fewer are compiled where Go has some of them in its cache. 0 while they are fetched. */
  readonly total: number;
}

/** Called about every second while the engine is built. */
export type BuildProgress = (state: BuildState) => void;

export interface BuildOptions {
  /** The release, 2.4.2 unless told otherwise. */
  version?: string;
  /** Whether its sinks can compress; few need that, and all would wait for it. */
  compression?: boolean;
  progress?: BuildProgress;
  signal?: AbortSignal;
  /** Where builds are kept; .cache/ of this checkout unless told otherwise. */
  cache?: string;
}

/**
 * Returns the engine, from the cache if this release of it was built before: then no Go is needed. One engine is built at
 * a time, also by several processes.
 * @throws GoMissing when it has to be built and Go is missing or too old
 * @throws CommandError when nobody has the release's source
 */
export async function buildEngine(options: BuildOptions = {}): Promise<EngineBuild> {
  const build = plan(options);
  if (existsSync(build.binary)) return { ...build, seconds: 0 };
  await requireGo();
  const parent = dirname(build.folder);
  await mkdir(parent, { recursive: true });
  const release = await holdLock(join(parent, "kuiperd.lock"), options.signal);
  try {
    if (existsSync(build.binary)) return { ...build, seconds: 0 }; // by whoever held the lock before
    return { ...build, seconds: await compile(build, options) };
  } finally {
    await release();
  }
}

/** Why the release is not on this machine and cannot be built; undefined when it is or can be. */
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

/** @returns how many seconds it took */
async function compile({ version, recipe, folder, binary }: Plan, { progress, signal }: BuildOptions): Promise<number> {
  const start = performance.now();
  const state = { phase: "fetching" as BuildState["phase"], modules: 0, packages: 0, total: 0 };
  const tell = () => progress?.({ ...state, seconds: (performance.now() - start) / 1000 });
  const timer = setInterval(tell, 1000);
  // Built aside and renamed when complete, so that an interrupted build does no harm.
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
    // Fetches what go build needs, and counts it.
    const counted = { line: () => state.total++, fetched: () => state.modules++ };
    await runGo(["list", "-deps", ...options], source.folder, { signal, ...counted });
    Object.assign(state, { phase: "compiling" });
    tell();
    const made = join(aside, "made");
    // With -v each package that is compiled is a line.
    const args = ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", join(made, executable)];
    await runGo([...args, ...options], source.folder, { signal, line: () => state.packages++ });
    await copyEtc(source.folder, join(made, "etc"));
    await rename(made, folder).catch((error) => {
      if (!existsSync(binary)) throw error; // else someone else was faster, and theirs is as good
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
  /** Called for each package that go names, on whichever output. */
  line(): void;
  /** Called for each module that go begins to fetch. */
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

/** Go's module cache is read-only; a copy that keeps that could not be removed again. */
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
