/**
 * Which label of a model is the right one for an image: seen from the name of the folder it lies in, or of its file.
 *
 * A class is named by an ImageNet synset (`n02099601`, and whatever follows it after an underscore), by the number in front
 * of its label or its line in the label file from 0 (`85`), or by its name: the label as it is, without its number, or one
 * of the names that it lists between commas. Case, underscores and dashes do not matter.
 */
import { readFile } from "node:fs/promises";
import { basename, extname, relative, sep } from "node:path";

const SYNSETS = new URL("synsets.txt", import.meta.url);
/** Labels in which ImageNet's classes have their usual names, numbered from 1. */
const IMAGENET = new URL("../../../model-assets/mobilenet_v1_1.0_224/labels.txt", import.meta.url);

const normal = (name: string) =>
  name
    .toLowerCase()
    .replace(/[\s_-]+/g, " ")
    .trim();

/** "85:peacock" → ["85", "peacock"]; a label without a number has only its name. */
function split(label: string): { number: string | undefined; name: string } {
  const match = /^(\d+)\s*:\s*(.+)$/.exec(label);
  return match ? { number: match[1], name: match[2] ?? "" } : { number: undefined, name: label };
}

/** The names that may stand for an image's class, the most likely first. */
export function classNamesOf(folder: string, image: string): string[] {
  const [first = "", ...rest] = relative(folder, image).split(sep);
  if (rest.length > 0) return [first];
  const stem = basename(first, extname(first));
  // rose_12.jpg and rose (12).jpg belong to the class rose.
  const unnumbered = stem.replace(/[\s_-]*\(?\d+\)?$/, "");
  return unnumbered === stem || unnumbered === "" ? [stem] : [stem, unnumbered];
}

/** A class of ImageNet: its usual name, and its usual number in a list that begins with the background. */
export interface Synset {
  readonly name: string;
  readonly number: string;
}

/** ImageNet's classes by synset. Their order is that of the synsets. */
export async function readSynsets(): Promise<ReadonlyMap<string, Synset>> {
  const [ids, labels] = await Promise.all(
    [SYNSETS, IMAGENET].map(async (url) => (await readFile(url, "utf8")).split("\n")),
  );
  return new Map(
    (ids ?? []).filter(Boolean).map((id, i) => [id, { name: split(labels?.[i + 1] ?? "").name, number: `${i + 1}` }]),
  );
}

/** Thrown for a class whose name matches no label, or more than one. */
export class UnknownClass extends Error {
  override name = "UnknownClass";
}

type Labels = Map<string, Set<string>>;

function add(labels: Labels, key: string, label: string): void {
  const known = labels.get(key) ?? new Set();
  labels.set(key, known.add(label));
}

export class Classes {
  readonly #synsets: ReadonlyMap<string, Synset>;
  readonly #byNumber: Labels = new Map();
  readonly #byWhole: Labels = new Map();
  readonly #byName: Labels = new Map();

  /** @param labels The model's labels, in the order of its classes. */
  constructor(labels: readonly string[], synsets: ReadonlyMap<string, Synset>) {
    this.#synsets = synsets;
    const numbered = labels.some((label) => split(label).number !== undefined);
    for (const [line, label] of labels.entries()) {
      const { number, name } = split(label);
      add(this.#byNumber, numbered ? (number ?? "") : String(line), label);
      add(this.#byWhole, normal(name), label);
      add(this.#byWhole, normal(label), label);
      for (const part of name.split(",")) add(this.#byName, normal(part), label);
    }
  }

  #find(name: string): ReadonlySet<string> | undefined {
    const [synset = ""] = /^n\d{8}(?=_|$)/.exec(name) ?? [];
    const known = this.#synsets.get(synset);
    if (known !== undefined) {
      const labels = this.#byWhole.get(normal(known.name));
      // ImageNet has two classes called "crane".
      const numbered = [...(labels ?? [])].filter((label) => split(label).number === known.number);
      return numbered.length === 1 ? new Set(numbered) : labels;
    }
    if (/^\d+$/.test(name)) return this.#byNumber.get(String(Number(name)));
    return this.#byWhole.get(normal(name)) ?? this.#byName.get(normal(name));
  }

  /**
   * The label of a class.
   *
   * @param names Possible names of the class, the most likely first; see classNamesOf().
   * @throws UnknownClass if none of them matches a label, or one matches several.
   */
  labelOf(names: readonly string[]): string {
    for (const name of names) {
      const [label, another] = this.#find(name) ?? [];
      if (another !== undefined) {
        throw new UnknownClass(`"${name}" may be "${label}" or "${another}"; name it by number or synset.`);
      }
      if (label !== undefined) return label;
    }
    throw new UnknownClass(`No label of the model is named "${names[0]}".`);
  }
}
