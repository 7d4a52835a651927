/** Lists every file in a folder, whatever its name: suites of hostile files have names that are not even UTF-8. */
import type { Dirent } from "node:fs";
import { opendir, realpath } from "node:fs/promises";

/** A path as the file system stores it, and as it can be displayed. */
export interface FoundFile {
  readonly path: Buffer;
  readonly name: string;
}

const SLASH = Buffer.from("/");

/** Replaces control characters and invalid UTF-8, which would break a table or a terminal. */
const printable = (path: Buffer): string =>
  path
    .toString("utf8")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, (character) =>
      character === "\uFFFD" ? "?" : `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );

/** Entries sorted by their bytes, so that two runs list a folder in the same order. */
async function entriesOf(folder: Buffer): Promise<Dirent<Buffer>[]> {
  // The types of Node 20 lack the encoding "buffer" here.
  const open = opendir as unknown as (
    path: Buffer,
    options: { encoding: "buffer" },
  ) => Promise<AsyncIterable<Dirent<Buffer>>>;
  const entries: Dirent<Buffer>[] = [];
  for await (const entry of await open(folder, { encoding: "buffer" })) entries.push(entry);
  return entries.sort((a, b) => Buffer.compare(a.name, b.name));
}

/**
 * Walks through a folder and its subfolders. Links to folders are not followed, since they may form cycles; pipes,
 * devices and git's own files are left out.
 *
 * @param trouble Receives a folder that cannot be read, and the reason.
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
