/** Finds or fetches the source of a release of eKuiper, and defines how its engine is built. It runs no compiler. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CommandError } from "../command-line/command.ts";
import { isOlder } from "./versions.ts";

/** The release that the demo and the benchmarks run. */
export const DEFAULT_VERSION = "2.4.2";

/**
 * The releases whose module the Go module proxy has, with the module's checksum in the form of `go.sum`. Their further
 * modules are pinned by the go.mod and go.sum in the module.
 */
const MODULES: Readonly<Record<string, string>> = {
  "1.14.7": "h1:Ye3D41oqdkVrQ7Ly4YuafaAAJ9kUfbxhgv32UCBXcso=",
  "2.4.0": "h1:VeM4QuWrEmM55yhMv5mCk6ZlCNr8dLNr3ue6vPNYab0=",
  "2.4.2": "h1:jkYgE08kQFWO+7WVgGxoJ9pw55H1IwtTzxBLz1l/glg=",
};

/** The releases that can be built without a clone of eKuiper's repository, the oldest first. CI tests them. */
export const PROXIED_VERSIONS = Object.keys(MODULES);

/** The oldest Go that builds all of them: the go.mod of the newest requires it. */
export const GO_VERSION = "1.25.4";

/** The `go build` of one release. */
export interface Recipe {
  readonly version: string;
  readonly module: string;
  readonly tags: string;
  readonly ldflags: string;
}

/**
 * @param version For example 2.4.2.
 * @param compression Whether sinks can compress what they send, as the published builds can.
 */
export function recipeOf(version: string, compression = false): Recipe {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new CommandError(`"${version}" is not a release such as 2.4.2.`);
  const module = `github.com/lf-edge/ekuiper${isOlder(version, "2") ? "" : "/v2"}`;
  // Releases without EXTRA have settings in configuration keys, which need the manager's metadata (`ui`). All others
  // are built without it: what works in such a build also works in a published one, which has everything.
  const metadata = isOlder(version, "2.3") ? " ui" : "";
  // Without the profiler: it listens on port 6060, so that two engines could not run at once.
  const compressors = compression ? " compression" : "";
  const tags = `core service portable rpc schema template trace no_pprof${metadata}${compressors}`;
  // Version 1 links to names inside Go's standard library, which Go 1.23 and later refuse by default.
  const links = isOlder(version, "2") ? "-checklinkname=0 " : "";
  return { version, module, tags, ldflags: `-s -w ${links}-X ${module}/cmd.Version=${version}` };
}

/** A name for the build that changes with each of its inputs. */
export function digestOf(recipe: Recipe): string {
  const made = JSON.stringify([recipe, MODULES[recipe.version] ?? "clone"]);
  return createHash("sha256").update(made).digest("hex").slice(0, 12);
}

// GOTOOLCHAIN=local: no newer Go may be fetched without the user's knowledge. CGO_ENABLED=0: these builds contain no C,
// so a C compiler is not needed. GOFLAGS: the user's flags are for the user's own modules.
export const goEnvironment = () => ({
  ...process.env,
  GOTOOLCHAIN: "local",
  GOWORK: "off",
  CGO_ENABLED: "0",
  GOFLAGS: "",
});

/**
 * The folder of a release's module in Go's module cache, read-only. Its 100 MB are fetched first if necessary.
 *
 * @throws CommandError with Go's reason if it cannot be fetched, or its checksum differs.
 */
export async function moduleFolder(version: string, signal?: AbortSignal): Promise<string> {
  const { module } = recipeOf(version);
  const download = promisify(execFile)("go", ["mod", "download", "-json", `${module}@v${version}`], {
    cwd: tmpdir(), // Outside any module.
    env: goEnvironment(),
    ...(signal && { signal }),
  });
  const { stdout } = await download.catch((error: Error & { stdout?: string }) => {
    const reason = /"Error": ?"((?:[^"\\]|\\.)*)"/.exec(error.stdout ?? "")?.[1];
    if (reason === undefined) throw error;
    throw new CommandError(
      `The source of eKuiper ${version} cannot be fetched: ${JSON.parse(`"${reason}"`)}\n→ Go fetches it through the proxy that the environment variable GOPROXY names.`,
    );
  });
  const { Dir, Sum }: { Dir: string; Sum: string } = JSON.parse(stdout);
  if (Sum !== MODULES[version]) {
    throw new CommandError(`${module}@v${version} has the checksum ${Sum}, not ${MODULES[version]}: it was not built.`);
  }
  return Dir;
}

export interface Source {
  /** The folder of eKuiper's source, perhaps read-only. */
  readonly folder: string;
  /** Options of `go build` for this source. */
  readonly options: readonly string[];
}

/** The environment variable that names a clone of eKuiper's repository, for releases that the proxy does not have. */
export const CLONE = "EKUIPER_CLONE";

/** Why the source of the release is not available; undefined if it is. */
export function whyNoSource(version: string): string | undefined {
  if (MODULES[version] !== undefined || process.env[CLONE]) return undefined;
  return `eKuiper ${version} is not among ${PROXIED_VERSIONS.join(", ")}, which Go fetches by itself. Give a clone of its repository: ${CLONE}=/path/to/ekuiper`;
}

/**
 * Gets the source of a release.
 *
 * @param aside An empty folder for what Go's module cache does not have.
 * @throws CommandError
 */
export async function fetchSource(version: string, aside: string, signal?: AbortSignal): Promise<Source> {
  const missing = whyNoSource(version);
  if (missing !== undefined) throw new CommandError(missing);
  const folder = MODULES[version] === undefined ? await unpack(version, aside) : await moduleFolder(version, signal);
  // The go.mod of version 1 replaces a module by a folder that the proxy's archive does not contain; the module itself
  // is available.
  if (MODULES[version] === undefined || !isOlder(version, "2")) return { folder, options: [] };
  const mod = join(aside, "go.mod");
  for (const name of ["go.mod", "go.sum"]) {
    await copyFile(join(folder, name), join(aside, name));
    await chmod(join(aside, name), 0o644);
  }
  const replaced = "github.com/lf-edge/ekuiper/extensions@v0.0.0-20240606005720-bdb167e36fd7";
  await promisify(execFile)("go", ["mod", "edit", `-dropreplace=${replaced}`, mod], { env: goEnvironment() });
  return { folder, options: [`-modfile=${mod}`] };
}

async function unpack(version: string, aside: string): Promise<string> {
  const folder = join(aside, "source");
  const archive = join(aside, "source.tar");
  await mkdir(folder);
  const run = promisify(execFile);
  // A clone may lack the largest files, which the engine does not need: pictures, models, native libraries. Without
  // eKuiper's attributes, git does not look at them.
  const args = ["archive", "--worktree-attributes", `--output=${archive}`, `v${version}`];
  await run("git", ["-C", process.env[CLONE] ?? "", ...args, ":(exclude)docs", ":(exclude)extensions/functions"]);
  await run("tar", ["-xf", archive, "-C", folder]);
  return folder;
}
