/** Every file in a folder, whatever it is called: suites of hostile files have names that are not even UTF-8. */
import type { Dirent } from "node:fs";
import { opendir, realpath } from "node:fs/promises";

/** A path as the file system has it, and as it can be shown. */
export interface FoundFile {
  readonly path: Buffer;
  readonly name: string;
}

const SLASH = Buffer.from("/");

/** Control characters and what is not UTF-8 would break a table or a terminal. */
const printable = (path: Buffer): string =>
  path
    .toString("utf8")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, (character) =>
      character === "\uFFFD" ? "?" : `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );

/** Entries by their bytes, so that two runs see a folder in the same order. */
async function entriesOf(folder: Buffer): Promise<Dirent<Buffer>[]> {
  // The types of Node 20 know no encoding "buffer" here.
  const open = opendir as unknown as (
    path: Buffer,
    options: { encoding: "buffer" },
  ) => Promise<AsyncIterable<Dirent<Buffer>>>;
  const entries: Dirent<Buffer>[] = [];
  for await (const entry of await open(folder, { encoding: "buffer" })) entries.push(entry);
  return entries.sort((a, b) => Buffer.compare(a.name, b.name));
}

/**
 * Walks through a folder and those in it. Links to folders are not followed, since they may lead in circles; pipes and
 * devices are left out, and so is what git keeps for itself.
 *
 * @param trouble Gets a folder that cannot be read, and why.
 */
export async function* filesIn(
  folder: string,
  trouble: (folder: string, reason: string) => void,
): AsyncGenerator<FoundFile> {
  const root = Buffer.from(await realpath(folder));
  const open = [{ path: root, shown: Buffer.from(folder) }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, shown } = next;
    let entries: Dirent<Buffer>[];
    try {
      entries = await entriesOf(path);
    } catch (error) {
      trouble(printable(shown), (error as Error).message);
      continue;
    }
    const folders: typeof open = [];
    for (const entry of entries) {
      const inside = {
        path: Buffer.concat([path, SLASH, entry.name]),
        shown: Buffer.concat([shown, SLASH, entry.name]),
      };
      if (entry.isDirectory()) {
        if (entry.name.toString() !== ".git") folders.push(inside);
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        yield { path: inside.path, name: printable(inside.shown) };
      }
    }
    open.push(...folders.reverse());
  }
}
