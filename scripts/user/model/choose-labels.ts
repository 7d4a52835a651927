/** Chooses the list of labels of a model that is added: the one that is named, or the one beside it that fits. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { LabelerError } from "../../../worker/errors.ts";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { CommandError, fromUser } from "../../command-line/command.ts";
import { type LabelList, readLabelList } from "./label-files.ts";
import { decodeText } from "./lists.ts";
import type { ModelSource } from "./sources.ts";

export interface ChosenLabels {
  /** The text of labels.txt; undefined if the model contains its labels, or there are none. */
  readonly text?: string;
  /** Notes for the user, as sentences. */
  readonly notes: readonly string[];
}

const textOf = (labels: readonly string[]): string => labels.map((label) => `${label.replace(/\s+/g, " ")}\n`).join("");

const chosen = (name: string, { labels, note }: LabelList): ChosenLabels => ({
  text: textOf(labels),
  notes: [`The labels come from ${name}.`, ...(note === undefined ? [] : [note])],
});

/** A list that can be read; the files beside a model may be anything. */
function readable(text: string): LabelList | undefined {
  try {
    return readLabelList(text);
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** Whether a model can be used with these labels. */
const fits = (tflite: Uint8Array<ArrayBuffer>, spec: string | undefined, labels: string | undefined) =>
  inspectModel({ tflite, spec, labels }).then(
    (model) => model,
    (error: unknown) => {
      if (error instanceof LabelerError) return undefined;
      throw error;
    },
  );

/** Parts of names that say nothing of what a model or a list is about. */
const GENERAL =
  /^(\d+|tflite|lite|model|labels?|class(es)?|names?|indices|txt|json|csv|zip|quant\w*|unquant|float\d*|int8|edgetpu)?$/i;

const wordsIn = (name: string): string[] =>
  name
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => !GENERAL.test(word))
    .map((word) => word.toLowerCase());

/** Of several lists, the only one that shares words with the name of the model, or the only one with a plain name. */
function byName(
  model: string,
  lists: readonly (readonly [string, LabelList])[],
): readonly [string, LabelList] | undefined {
  const words = new Set(wordsIn(basename(model)));
  const shared = ([name]: readonly [string, LabelList]) =>
    wordsIn(basename(name)).filter((word) => words.has(word)).length;
  const most = Math.max(...lists.map(shared));
  const alike = lists.filter((list) => shared(list) === most);
  const plain = alike.filter(([name]) => wordsIn(basename(name)).length === 0 && !/\d\./.test(name));
  const chosen = most > 0 && alike.length === 1 ? alike : plain;
  return chosen.length === 1 ? chosen[0] : undefined;
}

/**
 * @param named The file that the user names as the list of labels, if any.
 * @param spec The text of model.json, if there is one.
 * @throws CommandError if the named file is not a list of labels.
 */
export async function chooseLabels(
  { name: model, tflite, lists }: ModelSource,
  named: string | undefined,
  spec: string | undefined,
): Promise<ChosenLabels> {
  if (named !== undefined) {
    const { labels, note } = readLabelList(decodeText(await readFile(fromUser(named))));
    return { text: textOf(labels), notes: note === undefined ? [] : [note] };
  }
  const alone = await fits(tflite, spec, undefined);
  if (alone !== undefined && !alone.numbered) return { notes: [] };
  const fitting = new Map<string, readonly [name: string, list: LabelList]>();
  for (const [name, text] of lists) {
    const list = readable(text);
    if (list === undefined || (await fits(tflite, spec, textOf(list.labels))) === undefined) continue;
    if (!fitting.has(textOf(list.labels))) fitting.set(textOf(list.labels), [name, list]);
  }
  const [only, ...others] = fitting.values();
  if (only === undefined) return { notes: [] };
  if (others.length === 0) return chosen(...only);
  const names = [only, ...others].map(([name]) => name).join(", ");
  const likely = byName(model, [...fitting.values()]);
  if (likely !== undefined) {
    const labels = chosen(...likely);
    return {
      ...labels,
      notes: [...labels.notes, `Several lists of labels fit: ${names}. Name another with --labels if it is wrong.`],
    };
  }
  return { notes: [`Several lists of labels fit: ${names}. None was taken: name one with --labels.`] };
}
