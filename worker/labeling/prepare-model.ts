/** The model of a request: found and loading before the image has arrived, and run when the scheduler allows it. */
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
 * The parts of an inference, which stops if the model is disposed of between two of them. Records how long they take.
 *
 * @returns A list with the result; an empty list if the model was disposed of.
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

/** An inference takes longer than any other work that is scheduled at once, whatever the model. In milliseconds. */
const INFERENCE = 21;

export interface Model {
  readonly entry: IndexEntry;
  readonly precision: Precision;
  /** The regions that are labelled separately; undefined where the picture is labelled as one. */
  readonly regions: readonly Region[] | undefined;
  /**
   * Runs the network when the scheduler allows it. `infer` may be called again, with a model that was loaded anew.
   *
   * @param region The name of the region that is labelled; the first one if absent.
   * @throws ModelReplaced if this state of the model is neither loaded nor on the disk any more.
   */
  run<T>(infer: (classifier: Classifier) => Parts<T>, region?: string): Promise<T>;
  /**
   * The loaded model, for the first region if there are any. Ask for it once the pixels are there: it may be disposed of
   * while the caller waits.
   */
  classifier(): Promise<Classifier>;
}

/**
 * Finds the model and starts to load it, so that a cold one loads while the image is still arriving. Call it as early
 * as possible; labelOne() calls it, too.
 *
 * @throws LabelerError of kind unknown-model, or bad-parameter if the model does not support the precision or the
 *   regions.
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
  // This state of the model, even if another one is loaded in the meantime: pixels and labels belong together.
  let held: Classifier | undefined;
  const first = regions?.[0]?.name;
  const classifier = async (region = first) => {
    if (held === undefined || held.disposed) held = await catalogue.load(entry, precision, source);
    return held.at(region);
  };
  source.keepAlive(classifier().catch(() => undefined)); // run() and classifier() report the error
  const { executeInParts = partsAtOnce, trace } = context;
  const run = async <T>(infer: (classifier: Classifier) => Parts<T>, region?: string): Promise<T> => {
    for (;;) {
      const loaded = await classifier(region);
      // The model may be disposed of while this waits for the scheduler.
      const result = await executeInParts(INFERENCE, () => inferring(loaded, infer(loaded), trace));
      if (result.length > 0) return result[0];
    }
  };
  return { entry, precision, regions, classifier: () => classifier(), run };
}
