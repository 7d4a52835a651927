/** Writes a generated file, unless it is right already: watchers would rebuild for nothing. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Whoever reads the file meanwhile finds the former content or the new one, never a part. */
async function replaceFile(path: string, text: string): Promise<void> {
  const staging = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
  try {
    await writeFile(staging, text);
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
    throw error;
  }
}

export async function writeIfNew(path: string, text: string): Promise<void> {
  const old = await readFile(path, "utf8").catch(() => undefined);
  if (old === text) return;
  // A folder may be closed for new files while this one can be written.
  await replaceFile(path, text).catch(() => writeFile(path, text));
}
