/** What labelling needs beside an image and its parameters. */
import type { Catalogue, ModelSource } from "../model/catalogue.ts";
import type { Trace } from "../observability/trace.ts";
import type { Execute, ExecuteInParts } from "../runtime/execute.ts";
import type { Semaphore } from "../runtime/semaphore.ts";
import type { ResultCache } from "./result-cache.ts";

/** What labelling needs beside the image: the same for all images of a request. */
export interface LabelContext {
  readonly catalogue: Catalogue;
  readonly source: ModelSource;
  readonly defaultModel: string;
  /** The largest image, in pixels. */
  readonly maxPixels: number;
  /** Bounds how much is decoded and inferred at once; unbounded if absent. */
  readonly slots?: Semaphore | undefined;
  /** The budget, in bytes, of images that are taken into memory before there is a slot for them; unbounded if absent. */
  readonly buffers?: Semaphore | undefined;
  /** Runs what blocks the thread when it is this request's turn; at once if absent. */
  readonly execute?: Execute | undefined;
  /** As `execute`, for an inference. */
  readonly executeInParts?: ExecuteInParts | undefined;
  /** Told that the request carries many images or a large one: others come before it. */
  readonly onMuchWork?: (() => void) | undefined;
  /** Whose request it is, for a fair share of the slots. */
  readonly client?: string | undefined;
  /** Where results are cached; nowhere if absent. */
  readonly resultCache?: ResultCache | undefined;
  /** What else than image, model and parameters an answer depends on: the version of the code. */
  readonly revision?: string | undefined;
  /** Gets an answer's key before it is found or made. What it throws, labelOne() throws. */
  readonly onKey?: ((key: string) => void) | undefined;
  /** Where it is noted down what happens. */
  readonly trace?: Trace | undefined;
  /** Aborted when the client has gone: what the request holds is released then. */
  readonly signal?: AbortSignal | undefined;
}
