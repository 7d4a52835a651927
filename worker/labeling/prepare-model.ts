/** A request's model: found and loading before its image is there, and run when it is its turn. */
import type { Classifier } from "../model/classifier.ts";
import type { Region } from "../model/crop.ts";
import { type IndexEntry, precisionFor } from "../model/index-entry.ts";
import type { Precision } from "../model/precision-name.ts";
import { regionsFor } from "../model/regions.ts";
import type { Trace } from "../observability/trace.ts";
import { partsAtOnce } from "../runtime/execute.ts";
import type { Parts } from "../runtime/parts.ts";
import type { LabelContext } from "./context.ts";
import type { LabelOptions } from "./types.ts";

/**
 * The parts of an inference, which stops if the model is disposed of between two of them. Notes how long they take.
 *
 * @returns The result in a list; an empty one if there is none because the model was disposed of.
 */
function* inferring<T>(classifier: Classifier, parts: Parts<T>, trace: Trace | undefined): Parts<readonly T[]> {
  while (!classifier.disposed) {
    const start = performance.now();
    const { done, value } = parts.next();
    trace?.took("infer", start);
    if (done) return [value];
    yield;
  }
  return [];
}

/** An inference takes more than what else is done in one turn, whatever the model. In milliseconds. */
const INFERENCE = 21;

export interface Model {
  readonly entry: IndexEntry;
  readonly precision: Precision;
  /** What is labelled, each for itself; undefined where the picture is labelled as one. */
  readonly regions: readonly Region[] | undefined;
  /** Runs the network when it is this request's turn. `infer` may be called again, with a model that was loaded anew. */
  run<T>(infer: (classifier: Classifier) => Parts<T>): Promise<T>;
  /** Gives the loaded model. Asked when the pixels are there: it may be disposed of while one waits. */
  classifier(): Promise<Classifier>;
}

/**
 * Finds the model and starts to load it, so that a cold one loads while the image is still coming. To be called as early
 * as possible; labelOne() does it, too.
 *
 * @throws LabelerError of kind unknown-model, or bad-parameter if the model cannot have the precision or the regions.
 */
export async function prepareModel(
  { model, ...asked }: Pick<LabelOptions, "model" | "precision" | "crop" | "regions" | "oneAnswer">,
  context: LabelContext,
): Promise<Model> {
  const { catalogue, source, defaultModel } = context;
  const name = model ?? defaultModel;
  const entry = await catalogue.describe(name, source);
  const precision = precisionFor(entry, asked.precision);
  const regions = regionsFor(entry, asked);
  const classifier = () => catalogue.get(name, source, precision);
  classifier().catch(() => undefined); // who needs the model learns of it
  const { executeInParts = partsAtOnce, trace } = context;
  const run = async <T>(infer: (classifier: Classifier) => Parts<T>): Promise<T> => {
    for (;;) {
      const loaded = await classifier();
      // It may be disposed of while this waits for its turn.
      const result = await executeInParts(INFERENCE, () => inferring(loaded, infer(loaded), trace));
      if (result.length > 0) return result[0];
    }
  };
  return { entry, precision, regions, classifier, run };
}
