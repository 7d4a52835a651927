/**
 * Reads lists of classes as people have them, into one line for each class. The format is told by the text, since names of
 * files say little: JSON lists and maps, Keras' class_indices.json, metadata.json of Teachable Machine, id2label of a
 * Hugging Face configuration, CSV with a column of numbers, label maps in pbtxt, Python's lists and dictionaries, the
 * names of a YAML file, and lines with or without a number.
 */
import { CommandError } from "../../command-line/command.ts";

export interface LabelList {
  readonly labels: readonly string[];
  /** Notes for the user about how the text was understood, as a sentence. */
  readonly note?: string;
}

/** A label, and its number if it has one. */
type Numbered = readonly [number: number, label: string];

/** @throws CommandError if the numbers do not count up without a gap from 0 or 1. */
function inOrder(pairs: readonly Numbered[], what: string): string[] {
  const sorted = pairs.toSorted(([a], [b]) => a - b);
  const [[first] = [0]] = sorted;
  const broken = sorted.findIndex(([number], i) => number !== first + i);
  if (broken >= 0 || first < 0 || first > 1) {
    throw new CommandError(`${what}: the numbers of classes do not count up from 0 or 1 without a gap.`, 1);
  }
  return sorted.map(([, label]) => label);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields of a JSON object in which tools store the list or the map. */
const FIELDS = ["labels", "classes", "class_names", "classNames", "categories", "names", "id2label", "class_indices"];
/** The fields of an entry that is an object. */
const NAMES = ["name", "label", "class", "title", "display_name"];

function nameIn(entry: unknown): string | undefined {
  if (typeof entry === "string") return entry;
  if (!isRecord(entry)) return undefined;
  const name = NAMES.map((field) => entry[field]).find((value) => typeof value === "string");
  return name as string | undefined;
}

function fromJson(json: unknown): string[] | undefined {
  if (Array.isArray(json)) {
    const labels = json.map(nameIn);
    return labels.every((label) => label !== undefined) ? labels : undefined;
  }
  if (!isRecord(json)) return undefined;
  const inner = FIELDS.map((field) => json[field]).find((value) => typeof value === "object" && value !== null);
  if (inner !== undefined) return fromJson(inner);
  const entries = Object.entries(json);
  if (entries.length === 0) return undefined;
  if (entries.every(([, value]) => Number.isInteger(value))) {
    return inOrder(
      entries.map(([label, number]) => [number as number, label]),
      "The JSON map",
    );
  }
  if (entries.every(([key, value]) => /^\d+$/.test(key) && nameIn(value) !== undefined)) {
    return inOrder(
      entries.map(([number, value]) => [Number(number), nameIn(value) ?? ""]),
      "The JSON map",
    );
  }
  return undefined;
}

/** A name in quotes, a number, or punctuation, as Python writes them. */
const TOKEN = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+)|([[\]{},:]))/y;

/** A list or a dictionary in Python's notation, such as ['cat', 'dog'] or {'cat': 0}; undefined for anything else. */
function fromPython(text: string): string[] | undefined {
  const values: (string | number)[] = [];
  let marks = "";
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text);
    if (token === null) return undefined;
    const [, single, double, number, mark] = token;
    const quoted = single ?? double;
    if (mark === undefined) values.push(quoted === undefined ? Number(number) : quoted.replace(/\\(.)/g, "$1"));
    marks += mark ?? "x";
  }
  if (/^\[(x,)*x?\]$/.test(marks)) return fromJson(values);
  if (!/^\{(x:x,)*(x:x)?\}$/.test(marks)) return undefined;
  const pairs = Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]] as const);
  return fromJson(Object.fromEntries(pairs) as unknown);
}

/** The list `names` of a YAML file, as Ultralytics writes it: [a, b], or lines "- a" or "0: a". */
function fromYaml(lines: readonly string[]): string[] | undefined {
  const at = lines.findIndex((line) => /^(names|labels|classes):/.test(line));
  if (at < 0) return undefined;
  const unquoted = (text: string) => text.trim().replace(/^(['"])(.*)\1$/, "$2");
  const [, flow] = /^\w+:\s*\[(.*)\]\s*$/.exec(lines[at] ?? "") ?? [];
  if (flow !== undefined) return flow.split(",").map(unquoted);
  const end = lines.findIndex((line, i) => i > at && !/^(\s*-\s+|\s*\d+\s*:)/.test(line));
  const block = lines.slice(at + 1, end < 0 ? undefined : end);
  if (block.length === 0) return undefined;
  return block.map((line) => unquoted(line.replace(/^\s*(-\s+|\d+\s*:)/, "")));
}

/** item { id: 1 name: 'cat' display_name: "Cat" } */
function fromLabelMap(text: string): string[] {
  const items = [...text.matchAll(/item\s*\{([^{}]*)\}/g)].map(([, body = ""], index): Numbered => {
    const field = (name: string) => new RegExp(`\\b${name}\\s*:\\s*(?:"([^"]*)"|'([^']*)'|(\\d+))`).exec(body);
    const [, a, b] = field("display_name") ?? field("name") ?? [];
    const [, , , id] = field("id") ?? [];
    return [id === undefined ? index : Number(id), a ?? b ?? ""];
  });
  return inOrder(items, "The label map");
}

/** Splits a line of CSV; quoted fields may contain the separator. */
function fieldsOf(line: string, separator: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at <= line.length; ) {
    let field = "";
    if (line[at] === '"') {
      let end = at + 1;
      while (end < line.length && (line[end] !== '"' || line[end + 1] === '"')) end += line[end] === '"' ? 2 : 1;
      field = line.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    }
    const next = line.indexOf(separator, at);
    const end = next < 0 ? line.length : next;
    fields.push((field + line.slice(at, end)).trim());
    at = end + separator.length;
  }
  return fields;
}

/** A table with a column that counts classes and one that names them. */
function fromTable(lines: readonly string[]): string[] | undefined {
  for (const separator of [",", ";", "\t"]) {
    const rows = lines.map((line) => fieldsOf(line, separator));
    const width = rows[0]?.length ?? 0;
    if (width < 2 || rows.some((row) => row.length !== width)) continue;
    for (const body of [rows, rows.slice(1)]) {
      const counts = Array.from({ length: width }, (_, column) => body.every((row) => /^\d+$/.test(row[column] ?? "")));
      const number = counts.indexOf(true);
      const name = counts.indexOf(false);
      if (number < 0 || name < 0 || body.length === 0) continue;
      const numbers = body.map((row) => Number(row[number])).toSorted((a, b) => a - b);
      if (numbers.some((value, i) => value !== (numbers[0] ?? 0) + i) || (numbers[0] ?? 0) > 1) continue;
      return inOrder(
        body.map((row) => [Number(row[number]), row[name] ?? ""]),
        "The table",
      );
    }
  }
  return undefined;
}

/** "0 Cat", "0: cat", "0. cat", "0 - cat", "class_0 cat": only if all lines have a number, and the numbers count up. */
function withoutNumbers(lines: readonly string[]): LabelList {
  const parts = lines.map((line) => /^(\d+)\s*(?:[:.)\-–,]\s*|\s+)(\S.*)$/.exec(line));
  const first = Number(parts[0]?.[1] ?? -1);
  const counts = first <= 1 && parts.every((part, i) => part !== null && Number(part[1]) === first + i);
  if (!counts || lines.length < 2) return { labels: lines };
  const labels = parts.map((part) => part?.[2] ?? "");
  return { labels, note: `The numbers in front of the labels were taken off: "${lines[0]}" became "${labels[0]}".` };
}

/**
 * @param text The content of a file, with line ends of any kind.
 * @throws CommandError that says what is wrong with it.
 */
export function readLabelList(text: string): LabelList {
  const trimmed = text.replace(/^\ufeff/, "").trim();
  if (trimmed === "") throw new CommandError("The file of labels is empty.", 1);
  if (/^[{[]/.test(trimmed)) {
    let json: unknown;
    try {
      json = JSON.parse(trimmed);
    } catch (error) {
      const labels = fromPython(trimmed);
      if (labels !== undefined) return { labels };
      throw new CommandError(`The file of labels looks like JSON but is not: ${(error as Error).message}.`, 1);
    }
    const labels = fromJson(json);
    if (labels !== undefined) return { labels };
    throw new CommandError("The JSON has neither a list of labels nor a map of labels and numbers.", 1);
  }
  if (/^(#.*\n\s*)*item\s*\{/.test(trimmed)) return { labels: fromLabelMap(trimmed) };
  const raw = trimmed.split(/\r\n|\r|\n/);
  const yaml = fromYaml(raw);
  if (yaml !== undefined) return { labels: yaml };
  const lines = raw.map((line) => line.trim()).filter((line) => line !== "");
  const [only = "", ...more] = lines;
  const inLine = only.split(/[,;]/).map((name) => name.trim());
  if (more.length === 0 && inLine.length > 2 && inLine.every((name) => name !== "")) return { labels: inLine };
  const table = fromTable(lines);
  if (table !== undefined)
    return { labels: table, note: "The labels were taken from a table in the order of its numbers." };
  return withoutNumbers(lines);
}
