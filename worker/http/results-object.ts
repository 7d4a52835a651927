/** Gives routes access to the results of this labeler. */
import { resultsElsewhere } from "../results/elsewhere.ts";
import { RemoteResults } from "../results/remote.ts";
import type { Bindings } from "../settings/settings.ts";

/** One Durable Object for the labeler, wherever it is called from: in this process, or in that which stores the results. */
export const resultsOf = (env: Bindings): RemoteResults =>
  new RemoteResults(env.STORE === undefined ? env.RESULTS.getByName("results") : resultsElsewhere(env.STORE));
