/**
 * `npm run container`: builds the Dockerfile without an engine, runs the image, and checks compose.yaml.
 *
 * buildah builds on images of its own (container/base.ts) and runs processes that are only chrooted. What it cannot check: a
 * real engine with its namespaces, the base that ships, and a read-only root file system.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CommandError, runCommand } from "../command-line/command.ts";
import { makeArmBase, makeBase } from "./container/base.ts";
import { buildah } from "./container/buildah.ts";
import { checkArm, checkConfig, checkDockerfile } from "./container/checks.ts";
import { checkCompose } from "./container/compose.ts";
import { checkRun } from "./container/running.ts";

const usage = `npm run container: builds the image by buildah, labels an image in it, and checks compose.yaml

It needs Linux, root, and Debian's buildah, debootstrap, docker-compose, iproute2 and curl.`;

const PROGRAMS = ["buildah", "debootstrap", "docker-compose", "ip", "unshare", "curl"];

/** Why this machine cannot build it. */
function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "buildah builds only as root without an engine.";
  if (process.arch !== "x64") return "The base is made for x86-64 alone.";
  const missing = PROGRAMS.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  return missing.length > 0 ? `Install ${missing.join(", ")} (Debian).` : undefined;
}

const begin = performance.now();
function report(text: string): void {
  console.log(`${((performance.now() - begin) / 1000).toFixed(0).padStart(4)} s  ${text}`);
}

/** The folder in which npm keeps what it has downloaded; it is created. */
function npmCache(): string {
  const folder = process.env.npm_config_cache ?? join(homedir(), ".npm");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * What engines define by themselves, and buildah 1.28 of Debian 12 does not for FROM. With its own --platform it would look
 * for both bases under that platform.
 */
const platformArguments = (arch: string): string[] =>
  ["BUILDPLATFORM=linux/amd64", `TARGETPLATFORM=linux/${arch}`, `TARGETARCH=${arch}`].flatMap((argument) => [
    "--build-arg",
    argument,
  ]);

/** The home of the user who builds, in the image of the build. */
const HOME = "/root";

/** @returns The name of the image. */
function build(name: string, arch: string, [buildBase, base]: readonly [build: string, base: string]): string {
  const args = ["--build-arg", `BUILD_IMAGE=${buildBase}`, "--build-arg", `BASE_IMAGE=${base}`];
  // What npm ci of the checkout has downloaded need not be downloaded again.
  const cache = ["--volume", `${npmCache()}:${HOME}/.npm`];
  buildah(
    "build",
    "--quiet",
    "--isolation",
    "chroot",
    "--format",
    "docker",
    ...cache,
    ...platformArguments(arch),
    ...args,
    "--tag",
    name,
    ".",
  );
  return `localhost/${name}`;
}

await runCommand({ usage }, async () => {
  const reason = whyNot();
  if (reason !== undefined) {
    if (process.env.CI) throw new CommandError(reason, 1);
    console.log(`Skipped. ${reason}`);
    return 0;
  }
  buildah("rmi", "--prune"); // of former runs
  checkDockerfile(readFileSync("Dockerfile", "utf8"));
  checkCompose();
  report("compose.yaml is what docker-compose and the image understand");
  const base = makeBase();
  report("a base: Debian with Node");
  const image = build("edge-labeler", "amd64", [base, base]);
  report("the image for linux/amd64");
  checkConfig(image);
  await checkRun(image);
  report("it labels as its user, without network, is healthy, and writes to its volumes alone");
  checkArm(build("edge-labeler-arm64", "arm64", [base, makeArmBase()]));
  report("the image for linux/arm64, whose workerd is a program for ARM");
  console.log("Not run: a real engine, the base that ships, a read-only root file system, the image for ARM.");
  return 0;
});
