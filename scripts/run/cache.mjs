// @ts-check
/**
 * The cache of compiled programs: a folder for each program, in it `sources.json` with the paths of its sources, and a
 * folder named by their digest with what was compiled from them. Contents decide whether a compiled program is up to date,
 * never times, so the cache stays right whatever git, an archive or a copy of the checkout does to the files.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync, utimesSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {readonly [path: string, contents: Uint8Array]} Source A file by its path in the checkout. */

/** The checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** How often the time of a used program is renewed, in milliseconds. */
const RENEWED_MS = 60 * 60 * 1000;

/** The name of a compiled program in its folder. */
export const PROGRAM = "program";

/** @param {string} entry The path of a program. @returns {string} Its folder in the cache. */
export const folderOf = (entry) =>
  join(ROOT, ".cache/scripts", relative(ROOT, entry).replace(/\.ts$/, "").replace(/\W+/g, "-"));

/** @param {string} folder @param {string} digest @returns {string} The path of the compiled program. */
export const programIn = (folder, digest) => join(folder, digest, `${PROGRAM}.mjs`);

/** @param {string} path In the checkout. @returns {Source} */
export const readSource = (path) => [path, readFileSync(join(ROOT, path))];

/**
 * @param {string} entry
 * @param {Iterable<Source>} sources In a fixed order.
 * @returns {string}
 */
export function digestOf(entry, sources) {
  const hash = createHash("sha256").update(relative(ROOT, entry));
  for (const [path, contents] of sources) hash.update(`\n${path} ${contents.length}\n`).update(contents);
  return hash.digest("hex").slice(0, 32);
}

/** @param {string} entry @returns {string | undefined} The compiled program; undefined if it has to be compiled. */
export function compiled(entry) {
  try {
    const folder = folderOf(entry);
    /** @type {string[]} */
    const paths = JSON.parse(readFileSync(join(folder, "sources.json"), "utf8"));
    const digest = digestOf(entry, paths.map(readSource));
    const file = programIn(folder, digest);
    const used = statSync(dirname(file)).mtimeMs;
    if (Date.now() - used > RENEWED_MS) renew(dirname(file));
    return file;
  } catch {
    return undefined; // it was never compiled, or a source is missing now
  }
}

/** Marks a compiled program as used, so that it is not removed. @param {string} folder */
function renew(folder) {
  try {
    utimesSync(folder, new Date(), new Date());
  } catch {
    // The checkout is read-only, so that nothing is removed from it either.
  }
}
