// @ts-check
/**
 * Compiles programs for ../run.mjs: node compile.mjs PATH …. Prints a list of Compiled in JSON. In a checkout that cannot be
 * written to, a program goes into a temporary folder.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleScript, INLINED } from "./bundle.mjs";
import { digestOf, folderOf, PROGRAM, programIn, ROOT, readSource } from "./cache.mjs";

/**
 * @typedef {object} Compiled
 * @property {string} file The path of the compiled program.
 * @property {string} [temporary] The folder to remove when the program ends.
 */

/** Which files, beside its sources, decide how a program is compiled. */
const COMPILER = [
  ...["scripts/run/bundle.mjs", "scripts/run/compile.mjs"],
  ...["esbuild", ...INLINED].map((name) => `node_modules/${name}/package.json`),
];

/** How long a compiled program stays that nobody starts, in milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** @param {string} folder @param {ReadonlyMap<string, string | Uint8Array>} files Their contents by name. */
function writeAll(folder, files) {
  // Flushed, since a file that is renamed before its contents reach the disk is empty after a power failure.
  for (const [name, contents] of files) writeFileSync(join(folder, name), contents, { flush: true });
}

/** Removes what nobody started for a day, and the remains of interrupted compilations. @param {string} folder */
function removeOld(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const used = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - used > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** @param {string} entry @returns {Promise<Compiled>} */
async function compileIntoCache(entry) {
  const folder = folderOf(entry);
  mkdirSync(folder, { recursive: true });
  removeOld(folder);
  // Written beside and renamed when complete, so that interrupted and concurrent compilations do no harm.
  const aside = mkdtempSync(join(folder, "unfinished-"));
  try {
    const compiler = COMPILER.map(readSource);
    const checkout = `new URL("../../../../", import.meta.url)`;
    const bundled = await bundleScript(entry, { name: PROGRAM, checkout, folder: join(folder, "digest") });
    const sources = [...compiler, ...[...bundled.sources].sort(([a], [b]) => (a < b ? -1 : 1))];
    const digest = digestOf(entry, sources);
    const made = join(aside, "made");
    mkdirSync(made);
    writeAll(made, bundled.files);
    writeAll(aside, new Map([["sources.json", JSON.stringify(sources.map(([path]) => path))]]));
    renameNew(made, join(folder, digest));
    renameSync(join(aside, "sources.json"), join(folder, "sources.json"));
    return { file: programIn(folder, digest) };
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** @param {string} from @param {string} to A folder that another process may have made of the same sources. */
function renameNew(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (statSync(to, { throwIfNoEntry: false }) === undefined) throw error;
  }
}

/** For one process alone. @param {string} entry @returns {Promise<Compiled>} */
async function compileAside(entry) {
  const checkout = JSON.stringify(`${pathToFileURL(ROOT)}/`);
  const temporary = mkdtempSync(join(tmpdir(), "edge-labeler-script-"));
  const { files } = await bundleScript(entry, { name: PROGRAM, checkout, folder: temporary });
  writeAll(temporary, files);
  symlinkSync(join(ROOT, "node_modules"), join(temporary, "node_modules")); // where its imports of packages are found
  return { file: join(temporary, `${PROGRAM}.mjs`), temporary };
}

/** @param {string} entry @returns {Promise<Compiled>} */
async function compile(entry) {
  try {
    return await compileIntoCache(entry);
  } catch (error) {
    // The system does not let it write there; if it does not let it read either, that is thrown below.
    if (/** @type {NodeJS.ErrnoException} */ (error).syscall === undefined) throw error;
    return compileAside(entry);
  }
}

try {
  /** @type {Compiled[]} */
  const done = [];
  for (const entry of process.argv.slice(2)) done.push(await compile(entry));
  process.stdout.write(JSON.stringify(done));
} catch (error) {
  const compilation = /** @type {{ errors?: unknown }} */ (error).errors; // of esbuild, which has printed them
  if (compilation === undefined) console.error(error);
  process.exitCode = 1;
}
