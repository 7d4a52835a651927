/** The context of a labelling call: limits, scheduling and caches, apart from the image and its parameters. */
import type { Catalogue, ModelSource } from "../model/catalogue.ts";
import type { Trace } from "../observability/trace.ts";
import type { Execute, ExecuteInParts } from "../runtime/execute.ts";
import type { Semaphore } from "../runtime/semaphore.ts";
import type { ResultCache } from "./result-cache.ts";

/** Everything that labelling needs apart from the image; the same for all images of a request. */
export interface LabelContext {
  readonly catalogue: Catalogue;
  readonly source: ModelSource;
  readonly defaultModel: string;
  /** The largest image, in pixels. */
  readonly maxPixels: number;
  /** Bounds how many requests decode and infer at once; unbounded if absent. */
  readonly slots?: Semaphore | undefined;
  /** The memory budget, in bytes, of images that are read before they hold a slot; unbounded if absent. */
  readonly buffers?: Semaphore | undefined;
  /** Schedules work that blocks the thread; runs it at once if absent. */
  readonly execute?: Execute | undefined;
  /** Like `execute`, for an inference. */
  readonly executeInParts?: ExecuteInParts | undefined;
  /** Called when the request carries many images or a large one, so that other requests go first. */
  readonly onMuchWork?: (() => void) | undefined;
  /** The client that sent the request, for a fair share of the slots. */
  readonly client?: string | undefined;
  /** The cache of results; nothing is cached if absent. */
  readonly resultCache?: ResultCache | undefined;
  /** The origin under which results are in the Cache API; they are in the isolate alone if absent. */
  readonly cacheOrigin?: string | undefined;
  /** The version of the code: a result depends on it as well as on image, model and parameters. */
  readonly revision?: string | undefined;
  /** Receives the key of a result before the result is looked up or computed. labelOne() throws what it throws. */
  readonly onKey?: ((key: string) => void) | undefined;
  /** Records timings and outcomes. */
  readonly trace?: Trace | undefined;
  /** Aborted when the client has disconnected; the request then releases what it holds. */
  readonly signal?: AbortSignal | undefined;
}
