/** Builds kuiperd, LF Edge eKuiper's engine, from its Go module (pinned by ekuiper/engine/go.mod) once into .cache/. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CommandError } from "../lib/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "ekuiper/engine");
const engineModule = "github.com/lf-edge/ekuiper/v2";
const tags = "core service portable rpc schema template trace";
const executable = process.platform === "win32" ? "kuiperd.exe" : "kuiperd";

/** There is no Go, or it is older than ekuiper/engine/go.mod asks for. The message says what to install. */
export class GoMissing extends CommandError {
  override name = "GoMissing";
}

/** A kuiperd that is ready to run. */
export interface EngineBuild {
  /** The executable. */
  binary: string;
  /** The configuration folder that belongs to this version of eKuiper. */
  etc: string;
  /** Seconds that the build took, 0 when it was in the cache. */
  seconds: number;
}

/** Called about every second while the engine is built. */
export type BuildProgress = (seconds: number, packages: number) => void;

export interface BuildOptions {
  progress?: BuildProgress;
  signal?: AbortSignal;
  /** Where builds are kept; .cache/ of this checkout unless told otherwise. */
  cache?: string;
}

/**
 * Returns the engine, from the cache if this version of it was built before: then no Go is needed.
 * @throws GoMissing when it has to be built and Go is missing or too old
 */
export async function buildEngine({ progress, signal, cache }: BuildOptions = {}): Promise<EngineBuild> {
  const { goMod, folder, ...build } = await plan(cache);
  if (existsSync(build.binary)) return { ...build, seconds: 0 };

  await requireGo(matchOrThrow(goMod, /^go (\S+)$/m));
  const version = matchOrThrow(goMod, new RegExp(`${engineModule} v(\\S+)`));
  const start = performance.now();
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  // Built aside and renamed when complete, so that an interrupted or a second build at the same time does no harm.
  const aside = await mkdtemp(join(parent, "kuiperd-build-"));
  const removeAside = () => rmSync(aside, { recursive: true, force: true });
  process.once("exit", removeAside);
  try {
    const ldflags = `-s -w -X ${engineModule}/cmd.Version=${version}`;
    const args = ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-tags", tags];
    await runGo([...args, "-o", join(aside, executable), "."], progress, signal);
    await copyEtc(await moduleFolder(), join(aside, "etc"));
    await rename(aside, folder).catch((error) => {
      if (!existsSync(build.binary)) throw error; // else someone else was faster, and theirs is as good
    });
  } finally {
    removeAside();
    process.off("exit", removeAside);
  }
  return { ...build, seconds: (performance.now() - start) / 1000 };
}

/** Why there is no engine on this machine and none can be built; undefined when there is or can be. */
export async function whyNoEngine(cache?: string): Promise<string | undefined> {
  const { binary, goMod } = await plan(cache);
  if (existsSync(binary)) return undefined;
  try {
    await requireGo(matchOrThrow(goMod, /^go (\S+)$/m));
    return undefined;
  } catch (error) {
    if (error instanceof GoMissing) return error.message;
    throw error;
  }
}

async function plan(cache = join(root, ".cache")) {
  const goMod = await readFile(join(source, "go.mod"), "utf8");
  const main = await readFile(join(source, "main.go"), "utf8");
  const hash = createHash("sha256")
    .update(JSON.stringify([goMod, main, tags]))
    .digest("hex")
    .slice(0, 12);
  const folder = join(cache, `kuiperd-${hash}`);
  return { goMod, folder, binary: join(folder, executable), etc: join(folder, "etc") };
}

// GOTOOLCHAIN=local: a newer Go shall not be fetched behind the user's back.
// CGO_ENABLED=0: no part of this build is C, so no C compiler is needed.
const goEnvironment = () => ({ ...process.env, GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0" });

async function requireGo(wanted: string): Promise<void> {
  const fix = `Install Go ${wanted} or newer (https://go.dev/dl/) and put it on PATH: eKuiper's engine is built with it.`;
  // Asked outside the module: inside it an old Go would only complain about go.mod.
  const found = await goOutput(["version"], tmpdir()).catch(() => undefined);
  if (found === undefined) throw new GoMissing(`Go was not found. ${fix}`);
  const version = /go(\d[\w.]*)/.exec(found)?.[1] ?? "0";
  if (isOlder(version, wanted)) throw new GoMissing(`Go ${version} is too old. ${fix}`);
}

async function goOutput(args: string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)("go", args, { cwd, env: goEnvironment() });
  return stdout.trim();
}

/** Whether Go version `a`, for example 1.24.1 or 1.26rc1, is older than `b`. */
export function isOlder(a: string, b: string): boolean {
  const numbers = (version: string) => version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function runGo(args: string[], progress?: BuildProgress, signal?: AbortSignal): Promise<void> {
  const start = performance.now();
  const child = spawn("go", args, { cwd: source, env: goEnvironment(), signal, stdio: ["ignore", "ignore", "pipe"] });
  const kill = () => child.kill();
  process.once("exit", kill);
  const lastLines: string[] = [];
  let packages = 0;
  createInterface(child.stderr).on("line", (line) => {
    if (/^[\w./-]+$/.test(line))
      packages++; // with -v each compiled package is a line
    else if (!line.startsWith("go: downloading")) lastLines.push(line);
  });
  const timer = setInterval(() => progress?.((performance.now() - start) / 1000, packages), 1000);
  return new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The build of eKuiper's engine failed (go build):\n${lastLines.slice(-20).join("\n")}`));
    });
  }).finally(() => {
    clearInterval(timer);
    process.off("exit", kill);
  });
}

const moduleFolder = () => goOutput(["list", "-m", "-f", "{{.Dir}}", engineModule], source);

/** Go's module cache is read-only; a copy that keeps that could not be removed again. */
async function copyEtc(moduleDir: string, to: string): Promise<void> {
  const from = join(moduleDir, "etc");
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

function matchOrThrow(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`ekuiper/engine/go.mod has no line like ${pattern}`);
  return found;
}
