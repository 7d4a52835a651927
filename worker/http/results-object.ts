/** The Durable Object with this labeler's results. */
import type { Results } from "../results/object.ts";
import type { Bindings } from "./settings.ts";

/** One for the labeler, wherever it is called from. */
export const resultsOf = (env: Bindings): DurableObjectStub<Results> => env.RESULTS.getByName("results");
