/** Notes for the operator on a model that works: where the labeler had to guess. */
import type { InspectedModel } from "./inspect.ts";

interface Ranged {
  readonly type: string;
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] } | undefined;
}

/** The normalised range of pixels, for the first channel: "-1…1". */
export function rangeOf({ type, normalization }: Ranged): string {
  if (normalization === undefined) return type === "int8" ? "-128…127" : "0…255";
  const [[mean], [std]] = [normalization.mean, normalization.std];
  return [0, 255].map((pixel) => Number(((pixel - mean) / std).toFixed(2))).join("…");
}

/** What the note on a guessed range says, and no other note. */
const GUESS = "is a guess";

/** Whether a model's input range is only a guess, by the notes on it. */
export const isGuess = ({ notes }: { readonly notes?: readonly string[] }): boolean =>
  notes?.some((note) => note.includes(GUESS)) ?? false;

/** @returns Sentences. */
export function notesOn({
  input,
  labels,
  numbered,
  multiLabel,
  softmaxAssumed,
  spec,
}: Pick<InspectedModel, "input" | "labels" | "numbered" | "multiLabel" | "softmaxAssumed" | "spec">): string[] {
  const notes: string[] = [];
  if (input.guessed) {
    const [why, orElse] =
      spec.input === undefined
        ? [", since neither the file nor model.json states it", 'put {"input": {"mean": …, "std": …}} into model.json']
        : [", as model.json says", 'correct "input" in model.json, and remove "guessed"'];
    notes.push(
      `The input range ${rangeOf(input)} ${GUESS}${why}. Find out: ` +
        `npm run model -- check NAME --samples PHOTOS/, or ${orElse}.`,
    );
  }
  if (multiLabel && spec.min === undefined) {
    notes.push(
      "It is multi-label: each class has a confidence of its own, and they do not sum to 1. An answer has all classes, the " +
        'likeliest first: put {"min": 0.5}, or {"min": {"LABEL": 0.5, …}}, into model.json for those that are seen.',
    );
  }
  if (softmaxAssumed) {
    notes.push(
      "It ends in logits, to which a softmax is applied: one class is in a picture. If several can be, it is multi-label: " +
        'put {"output": "multi-label-logits"} into model.json, or {"output": "logits"} if not.',
    );
  }
  if (numbered) {
    notes.push(
      `There are no labels, so that classes are called 0 to ${labels.length - 1}: put labels.txt beside model.tflite.`,
    );
  }
  return notes;
}
