/** Starts the labeler as eKuiper needs it, with its model loaded: eKuiper gives a call 5 s, and the first one, too. */
import { type RunningWorkerd, startWorkerd } from "../labeler/workerd.ts";

const loadSeconds = 60;

/** Starts the labeler with this LABELER_TOKEN and waits until its default model is loaded. */
export async function startLoadedLabeler(token: string): Promise<RunningWorkerd> {
  const labeler = await startWorkerd({ settings: { LABELER_TOKEN: token } });
  try {
    const ready = await fetch(`${labeler.url}/readyz`, { signal: AbortSignal.timeout(loadSeconds * 1000) });
    const text = await ready.text();
    if (!ready.ok) throw new Error(`The labeler is not ready: GET /readyz is ${ready.status}: ${text}`);
    return labeler;
  } catch (error) {
    await labeler.stop();
    throw error;
  }
}
