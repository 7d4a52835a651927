/** Gets workerd for a platform that may differ from this machine's, from its npm package. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "../../command-line/command.ts";

/** npm's packages of workerd, by Node's names of the platform. */
const PACKAGES = {
  "linux-x64": "@cloudflare/workerd-linux-64",
  "linux-arm64": "@cloudflare/workerd-linux-arm64",
} as const;

export type Platform = keyof typeof PACKAGES;

export const PLATFORMS = Object.keys(PACKAGES) as readonly Platform[];

export const isPlatform = (name: string): name is Platform => Object.hasOwn(PACKAGES, name);

export const thisPlatform = (): string => `${process.platform}-${process.arch}`;

interface Locked {
  readonly version: string;
  /** As in Subresource Integrity: "sha512-…". */
  readonly integrity: string;
}

/** The version that package-lock.json names, and the digest of its archive. */
function locked(name: string): Locked {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Locked> };
  return packages[`node_modules/${name}`];
}

/** @throws CommandError if npm does not get the archive, or its digest is not that of package-lock.json. */
function download(name: string, folder: string): void {
  const { version, integrity } = locked(name);
  const args = ["pack", `${name}@${version}`, "--silent", "--pack-destination", folder];
  let archive: string;
  try {
    archive = join(folder, execFileSync("npm", args, { encoding: "utf8" }).trim());
  } catch {
    throw new CommandError(`npm could not download ${name}@${version}; its message is above.`, 1);
  }
  const [algorithm, expected] = integrity.split(/-(.*)/s);
  const digest = createHash(algorithm).update(readFileSync(archive)).digest("base64");
  if (digest !== expected) throw new CommandError(`${name}@${version} is not the one of package-lock.json.`, 1);
  execFileSync("tar", ["-xzf", archive, "-C", folder]);
}

/** Puts the workerd of a platform into a folder. @throws CommandError if it is not available. */
export async function workerdFor(platform: Platform, file: string): Promise<void> {
  if (platform === thisPlatform()) {
    copyFileSync(createRequire(import.meta.url)("workerd").default, file);
  } else {
    const folder = mkdtempSync(join(tmpdir(), "edge-labeler-workerd-"));
    try {
      download(PACKAGES[platform], folder);
      copyFileSync(join(folder, "package/bin/workerd"), file);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  chmodSync(file, 0o755);
}
