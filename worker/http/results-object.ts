/** Gives routes access to the results of this labeler. */
import { RemoteResults } from "../results/remote.ts";
import type { Bindings } from "../settings/settings.ts";

/** One Durable Object for the labeler, wherever it is called from. */
export const resultsOf = (env: Bindings): RemoteResults => new RemoteResults(env.RESULTS.getByName("results"));
