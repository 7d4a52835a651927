/**
 * The vocabulary of a model: it converts scores of a network's classes to confidences of labels. The scores of a
 * group's classes are summed first, then unwanted labels are left out; the remaining confidences are not scaled up.
 */
import { LabelerError } from "../errors.ts";
import { nearestNames } from "../validation/nearest.ts";
import { quote } from "../validation/quote.ts";
import { oneOf } from "../validation/words.ts";
import type { Groups } from "./groups.ts";
import { UNKNOWN } from "./names.ts";

export interface Vocabulary {
  /** The labels that may be returned. */
  readonly labels: readonly string[];
  /** The classes of each label, whose scores are summed; undefined if label i is class i. */
  readonly members: readonly (readonly number[])[] | undefined;
  /** The minimum confidence of each label; undefined if it is 0. */
  readonly least: readonly number[] | undefined;
  /** If the top-1 class has a lower score, the image is unknown; undefined if there is no such threshold. */
  readonly unknownBelow: number | undefined;
}

/** The fields of model.json that concern labels; see derived-spec.ts. */
export interface VocabularyOptions {
  readonly groups?: Groups | undefined;
  readonly only?: readonly string[] | undefined;
  readonly not?: readonly string[] | undefined;
  readonly min?: number | Readonly<Record<string, number>> | undefined;
  readonly unknown?: number | undefined;
}

const refuse = (field: string, reason: string) =>
  new LabelerError("model-unusable", `model.json, ${field}: ${reason}.`);

function unknownName(field: string, name: string, known: readonly string[]): LabelerError {
  const near = nearestNames(name, known).map((other) => JSON.stringify(other));
  const hint = near.length === 0 ? "" : ` Did you mean ${oneOf(near)}?`;
  return new LabelerError("model-unusable", `model.json, ${field}: there is no label ${quote(name)}.${hint}`);
}

/** A label with its classes. */
interface Entry {
  readonly label: string;
  readonly classes: readonly number[];
}

/** Replaces labels by their groups: first the groups in their order, then the labels that belong to none. */
function entriesOf(classes: readonly string[], groups: Groups): Entry[] {
  const indices = new Map<string, number[]>();
  for (const [index, label] of classes.entries()) indices.set(label, [...(indices.get(label) ?? []), index]);
  const groupOf = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [group, labels] of groups) {
    for (const label of labels) {
      if (!indices.has(label)) throw unknownName(`groups, ${group}`, label, classes);
      const other = groupOf.get(label);
      if (other !== undefined) {
        const twice = other === group ? "is there twice" : `is in the group ${quote(other)}, too`;
        throw refuse(`groups, ${group}`, `${quote(label)} ${twice}; a label has one group at most`);
      }
      groupOf.set(label, group);
    }
    entries.push({ label: group, classes: labels.flatMap((label) => indices.get(label) ?? []) });
  }
  for (const [label, of] of indices) {
    if (groupOf.has(label)) continue;
    if (groups.has(label)) {
      throw refuse(`groups, ${label}`, "is the name of a label that is not in this group. Add it, or rename the group");
    }
    entries.push({ label, classes: of });
  }
  return entries;
}

/**
 * The labels that remain after `only` and `not`.
 *
 * @throws LabelerError for a name that does not exist; the error says if a name belongs to a group.
 */
function wantedOf(entries: readonly Entry[], { only, not, groups }: VocabularyOptions): Entry[] {
  const labels = entries.map(({ label }) => label);
  const known = new Set(labels);
  const check = (field: string, name: string) => {
    if (known.has(name)) return;
    const [group] = [...(groups ?? [])].find(([, members]) => members.includes(name)) ?? [];
    if (group === undefined) throw unknownName(field, name, labels);
    throw refuse(field, `${quote(name)} is in the group ${quote(group)}, which is answered in its place`);
  };
  for (const name of only ?? []) check("only", name);
  for (const name of not ?? []) check("not", name);
  const [chosen, left] = [only && new Set(only), new Set(not)];
  const wanted = entries.filter(({ label }) => (chosen?.has(label) ?? true) && !left.has(label));
  if (wanted.length === 0) throw refuse(only === undefined ? "not" : "only", "no label is left");
  return wanted;
}

/** The minimum confidence of each label. @throws LabelerError for a name that does not exist. */
function leastOf(labels: readonly string[], min: VocabularyOptions["min"]): readonly number[] | undefined {
  if (min === undefined || min === 0) return undefined;
  if (typeof min === "number") return labels.map(() => min);
  const byLabel = new Map(Object.entries(min));
  for (const name of byLabel.keys()) if (!labels.includes(name)) throw unknownName("min", name, labels);
  return labels.map((label) => byLabel.get(label) ?? 0);
}

/**
 * Makes the vocabulary of a model.
 *
 * @param classes The names of the classes that are scored.
 * @throws LabelerError of kind model-unusable that names the field of model.json and what is wrong with it; for a name
 *   that does not exist, it lists the most similar ones that do.
 */
export function makeVocabulary(classes: readonly string[], options: VocabularyOptions): Vocabulary {
  const { groups, only, not, min, unknown } = options;
  if (classes.includes(UNKNOWN) && unknown !== undefined) {
    throw refuse("unknown", `the model has a class "${UNKNOWN}" already, so that this label would have two meanings`);
  }
  const isPlain = groups === undefined && only === undefined && not === undefined;
  const entries = isPlain
    ? classes.map((label, index) => ({ label, classes: [index] }))
    : wantedOf(entriesOf(classes, groups ?? new Map()), options);
  const labels = entries.map(({ label }) => label);
  return {
    labels,
    members: isPlain ? undefined : entries.map((entry) => entry.classes),
    least: leastOf(labels, min),
    unknownBelow: unknown,
  };
}

/**
 * The part of a vocabulary for a network that scores only some of its classes.
 *
 * @param classes For each class of that network, its index among the classes of the vocabulary.
 */
export function restrictVocabulary(vocabulary: Vocabulary, classes: readonly number[]): Vocabulary {
  const own = new Map(classes.map((index, at) => [index, at]));
  const entries = vocabulary.labels.flatMap((label, at) => {
    const members = (vocabulary.members?.[at] ?? [at]).flatMap((index) => own.get(index) ?? []);
    return members.length === 0 ? [] : [{ label, members, least: vocabulary.least?.[at] ?? 0 }];
  });
  return {
    labels: entries.map(({ label }) => label),
    members: entries.map(({ members }) => members),
    least: vocabulary.least && entries.map(({ least }) => least),
    unknownBelow: vocabulary.unknownBelow,
  };
}
