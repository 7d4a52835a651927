/** Runs buildah without an engine: files in a folder of the cache, and processes that are only chrooted. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";

const STORAGE = resolve(".cache/container/storage");
const RUN = resolve(".cache/container/run");

/** The arguments before those of a command. */
export const BUILDAH: readonly string[] = ["buildah", "--root", STORAGE, "--runroot", RUN, "--storage-driver", "vfs"];

/** @returns What the command prints. @throws Error with what it reports if it fails. */
export function run(command: readonly string[], options: { readonly quiet?: boolean } = {}): string {
  const [program, ...args] = command;
  const stdio = ["ignore", "pipe", options.quiet ? "pipe" : "inherit"] as const;
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", stdio: [...stdio] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}. ${stderr ?? ""}${stdout}`);
  return stdout.trim();
}

export function buildah(...args: readonly string[]): string {
  mkdirSync(STORAGE, { recursive: true });
  return run([...BUILDAH, ...args]);
}

/** What the image or working container is configured to do. */
export interface Config {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Volumes: Readonly<Record<string, unknown>>;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

export interface Inspected {
  readonly architecture: string;
  readonly config: Config;
}

/** The configuration of an image, in Docker's format. */
export function inspectImage(name: string): Inspected {
  const { Docker } = JSON.parse(buildah("inspect", "--type", "image", name)) as { Docker: Inspected };
  return Docker;
}
