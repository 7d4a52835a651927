/**
 * Makes the images on which CI builds the Dockerfile, since it cannot pull any: Debian by debootstrap, with Node and npm from
 * the npm registry. The image that ships is built on Docker's official image of Node instead.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { copyNode } from "../../user/package/platforms.ts";
import { buildah, run } from "./buildah.ts";

const FOLDER = resolve(".cache/container");
const MIRROR = "http://deb.debian.org/debian";

/** The npm of this machine, whose version fits its settings. */
function addNpm(root: string): void {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-npm-"));
  try {
    const version = execFileSync("npm", ["--version"], { encoding: "utf8" }).trim();
    const archive = run(["npm", "pack", `npm@${version}`, "--silent", "--pack-destination", folder]);
    execFileSync("tar", ["-xzf", join(folder, archive), "-C", folder]);
    cpSync(join(folder, "package"), join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
}

/** By which this machine reaches the npm registry: its settings, and the certificate authority of its network. */
function addSettings(root: string): string[] {
  const settings = process.env.npm_config_userconfig ?? join(homedir(), ".npmrc");
  if (existsSync(settings)) cpSync(settings, join(root, "root/.npmrc"));
  const authority = process.env.NODE_EXTRA_CA_CERTS;
  if (!authority) return [];
  cpSync(authority, join(root, "etc/ca.pem"), { dereference: true });
  return ["--env", "NODE_EXTRA_CA_CERTS=/etc/ca.pem"];
}

/** The files of the base, made once. */
function makeRoot(): string {
  const root = join(FOLDER, "base");
  if (existsSync(root)) return root;
  const aside = `${root}.unfinished`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  run(["debootstrap", "--variant=minbase", "--include=libstdc++6", "bookworm", aside, MIRROR], { quiet: true });
  copyNode("linux-x64", join(aside, "usr/local/bin/node"), join(aside, "usr/local/LICENSE-node"));
  addNpm(aside);
  rmSync(join(aside, "var/cache/apt"), { recursive: true });
  renameSync(aside, root);
  return root;
}

/** Makes an image of files. @returns Its name. */
function commit(name: string, root: string | undefined, config: readonly string[]): string {
  const container = buildah("from", "scratch");
  try {
    if (root !== undefined) buildah("add", "--quiet", container, root, "/");
    buildah("config", ...config, container);
    buildah("commit", "--quiet", "--format", "docker", container, name);
  } finally {
    buildah("rm", container);
  }
  return `localhost/${name}`;
}

/** The image on which both stages are built for this machine's processor. */
export function makeBase(): string {
  const root = makeRoot();
  return commit("edge-labeler-base", root, addSettings(root));
}

/** An empty image for ARM, whose last stage runs nothing. */
export function makeArmBase(): string {
  const root = mkdtempSync(join(tmpdir(), "edge-labeler-arm-"));
  try {
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "etc/os-release"), "NAME=empty\n");
    return commit("edge-labeler-base-arm64", root, ["--arch", "arm64", "--os", "linux"]);
  } finally {
    rmSync(root, { recursive: true });
  }
}
