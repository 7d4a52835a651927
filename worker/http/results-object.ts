/** Gives routes access to the results of this labeler. */
import { resultsElsewhere } from "../results/elsewhere.ts";
import { RemoteResults } from "../results/remote.ts";
import { type Bindings, settingsOf } from "../settings/settings.ts";

/** One Durable Object for the labeler, wherever it is called from: in this process, or in that which stores the results. */
export function resultsOf(env: Bindings): RemoteResults {
  if (env.STORE !== undefined) return new RemoteResults(resultsElsewhere(env.STORE));
  const { RESULTS_LOCATION_HINT: locationHint, RESULTS_JURISDICTION: jurisdiction } = settingsOf(env);
  const objects = jurisdiction === undefined ? env.RESULTS : env.RESULTS.jurisdiction(jurisdiction);
  return new RemoteResults(objects.getByName("results", locationHint && { locationHint }));
}
