/** Chooses the list of labels of a model that is added: the one that is named, or the one beside it that fits. */
import { readFile } from "node:fs/promises";
import { LabelerError } from "../../../worker/errors.ts";
import { inspectModel } from "../../../worker/model/inspect.ts";
import { CommandError, fromUser } from "../../command-line/command.ts";
import { type LabelList, readLabelList } from "./label-files.ts";
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

/**
 * @param named The file that the user names as the list of labels, if any.
 * @param spec The text of model.json, if there is one.
 * @throws CommandError if the named file is not a list of labels, or several lists beside the model fit.
 */
export async function chooseLabels(
  { tflite, lists }: ModelSource,
  named: string | undefined,
  spec: string | undefined,
): Promise<ChosenLabels> {
  if (named !== undefined) {
    const { labels, note } = readLabelList(await readFile(fromUser(named), "utf8"));
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
  throw new CommandError(`Several lists of labels fit: ${names}. Name one with --labels.`, 1);
}
