/**
 * Reads groups.txt, which says which labels of a model belong together. The name of a group stands in brackets on its
 * own line; each line below it has one label, as in labels.txt. Empty lines and lines that begin with # are ignored.
 */
import { LabelerError } from "../errors.ts";
import { quote } from "../validation/quote.ts";
import { whyNotClassName } from "./names.ts";

/** Labels by the name of their group. */
export type Groups = ReadonlyMap<string, readonly string[]>;

const refuse = (file: string, reason: string) => new LabelerError("model-unusable", `${file}, ${reason}.`);

/**
 * Reads the text of a groups.txt.
 *
 * @param file The name of the file, for errors.
 * @throws LabelerError of kind model-unusable that names the line and what is wrong with it.
 * @example parseGroups("[dog]\n151:Chihuahua\n", "groups.txt") // Map { "dog" => ["151:Chihuahua"] }
 */
export function parseGroups(text: string, file: string): Groups {
  const groups = new Map<string, string[]>();
  let labels: string[] | undefined;
  for (const [at, raw] of text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    const place = `line ${at + 1}`;
    if (line === "" || line.startsWith("#")) continue;
    const [, name] = /^\[(.*)\]$/.exec(line) ?? [];
    if (name === undefined) {
      if (labels === undefined) throw refuse(file, `${place}: a label stands before the first [group]`);
      labels.push(line);
      continue;
    }
    const fault = whyNotClassName(name);
    if (fault !== undefined) throw refuse(file, `${place}: ${fault}`);
    if (groups.has(name)) throw refuse(file, `${place}: the group ${quote(name)} is there twice`);
    labels = [];
    groups.set(name, labels);
  }
  const empty = [...groups].find(([, of]) => of.length === 0);
  if (empty !== undefined) throw refuse(file, `the group ${quote(empty[0])} has no labels`);
  if (groups.size === 0) throw refuse(file, "there are no groups: write [group] and below it a label a line");
  return groups;
}
