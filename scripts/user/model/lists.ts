/** Finds the files beside a model that may be lists of its labels, and reads their text. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";

/** Larger files are no lists of labels, in bytes. */
export const LARGEST_LIST = 4 << 20;

const NAMES_A_LIST = /label|class|name|synset|categor|^dict\.|^metadata\.|^data\.ya?ml$|^config\.json$/i;

/** Whether a file may be a list of labels by its name. @param model The name of the model's file. */
export function isList(path: string, model: string): boolean {
  const { name, base } = parse(path);
  if (/\.pbtxt$|^labels?$|^classes$|^labels\.map$/i.test(base)) return true;
  if (!/\.(txt|json|csv|tsv|names|labels|ya?ml)$/i.test(base)) return false;
  return NAMES_A_LIST.test(base) || name === parse(model).name;
}

/** The text of a file in UTF-8, or in UTF-16 with a byte order mark; or else in Windows' Western encoding. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

async function listsIn(folder: string, model: string): Promise<[path: string, text: string][]> {
  const lists: [string, string][] = [];
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => one !== model && isList(one, model)).sort()) {
    const path = join(folder, name);
    const found = await stat(path);
    if (found.isFile() && found.size <= LARGEST_LIST) lists.push([path, decodeText(await readFile(path))]);
  }
  return lists;
}

/** Folders beside a model in which apps keep its labels. */
const OF_LABELS = ["labels", "label", "../labels", "../label"];

/**
 * The lists in the folder of a model and in folders of labels beside it.
 *
 * @returns Their texts by their paths, seen from the model's folder.
 */
export async function listsBeside(path: string): Promise<Map<string, string>> {
  const folder = dirname(path);
  const lists = new Map<string, string>();
  for (const beside of [".", ...OF_LABELS]) {
    for (const [file, text] of await listsIn(join(folder, beside), basename(path))) {
      lists.set(join(beside, basename(file)), text);
    }
  }
  return lists;
}
