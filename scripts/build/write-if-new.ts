/** Writes a generated file, unless it is right already: watchers would rebuild for nothing. */
import { readFile, writeFile } from "node:fs/promises";

export async function writeIfNew(path: string, text: string): Promise<void> {
  const old = await readFile(path, "utf8").catch(() => undefined);
  if (old !== text) await writeFile(path, text);
}
