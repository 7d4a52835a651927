// @ts-check
/**
 * Runs a program of this checkout that is written in TypeScript, in this very process:
 *
 *     node scripts/run.mjs scripts/user/label.ts [ARGUMENT …]
 *
 * The program is compiled once, into .cache/scripts, and again when one of its sources changes. Another process compiles
 * it, so that no compiler stays in the memory of one that runs for weeks. This file is JavaScript because Node 20 cannot
 * load TypeScript.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compiled, ROOT } from "./run/cache.mjs";
import { refuseNode } from "./run/node-version.mjs";

/** @param {string} entry The path of the program. @returns {string} The path of the compiled program. */
function compile(entry) {
  const program = fileURLToPath(new URL("./run/compile.mjs", import.meta.url));
  const { status, stdout, error } = spawnSync(process.execPath, [program, entry], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(1); // the compiler has printed why
  /** @type {import("./run/compile.mjs").Compiled[]} */
  const [{ file, temporary }] = JSON.parse(stdout);
  if (temporary !== undefined) process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));
  return file;
}

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const refusal = refuseNode(engines.node);
if (refusal !== undefined) {
  console.error(refusal);
  process.exit(2);
}
const [, , name] = process.argv;
if (name === undefined) {
  console.error("usage: node scripts/run.mjs PROGRAM.ts [ARGUMENT …]");
  process.exit(2);
}
const entry = resolve(ROOT, name);
const file = compiled(entry) ?? compile(entry);
process.argv.splice(1, 2, entry);
process.setSourceMapsEnabled(true);
await import(pathToFileURL(file).href);
