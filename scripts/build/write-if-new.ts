/** Writes a generated file, but leaves it alone where it is right already: watchers would build for nothing. */
import { readFile, writeFile } from "node:fs/promises";

export async function writeIfNew(path: string, text: string): Promise<void> {
  const old = await readFile(path, "utf8").catch(() => undefined);
  if (old !== text) await writeFile(path, text);
}
