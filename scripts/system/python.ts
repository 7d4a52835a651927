/**
 * Installs Python packages for scripts and tests: each set comes from PyPI into a virtual environment of its own, in
 * .cache/python/.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = ".cache/python";

/** The version of Pillow with the labeler's pixels: 13 resizes differently. */
export const PILLOW = "pillow==12.2.0";

/** Pillow and native TensorFlow Lite, the references for pixels and labels. */
export const REFERENCES = [PILLOW, "numpy==2.4.6", "ai-edge-litert==2.3.0"];

/** Thrown if Python is not installed, or cannot install the packages. */
export class NoPython extends Error {
  override name = "NoPython";
}

function run(command: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) throw new NoPython(`${command} cannot be run: ${error.message}.`);
  if (status === 0) return;
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw new NoPython(`${[command, ...args].join(" ")} ended with ${status}${said && `: ${said}`}`);
}

/**
 * Creates a virtual environment with these packages, if it does not exist yet. Its programs are those that the packages
 * install.
 *
 * @param name The name of the environment.
 * @param packages Requirements for pip, with versions.
 * @returns The folder of its programs, which contains `python`.
 * @throws NoPython
 */
export function pythonPrograms(name: string, packages: readonly string[]): string {
  const folder = resolve(ROOT, name);
  const programs = join(folder, "bin");
  const complete = join(folder, "packages.txt"); // Written last.
  const wanted = packages.join("\n");
  if (existsSync(complete) && readFileSync(complete, "utf8") === wanted) return programs;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run("python3", ["-m", "venv", folder]);
  run(join(programs, "pip"), ["install", "--quiet", "--disable-pip-version-check", ...packages]);
  writeFileSync(complete, wanted);
  return programs;
}
