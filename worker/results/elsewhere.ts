/**
 * The results where another process stores them (npm run serve with several workers): each call is an HTTP request over a
 * unix socket. A process that is not there is being restarted, so that a call waits for it. Every call may be made again:
 * a result is stored once for its id, and erased once (if a call is repeated, its count may miss what the first one did).
 */
import type { Service } from "../settings/settings.ts";
import type { Method, Outcome, ResultsApi } from "./results-api.ts";

/** How long a call tries to reach the process, in milliseconds: longer than a restart takes. */
const PATIENCE = 8000;
/** The wait between two tries, in milliseconds: it doubles from the first to the last. */
const WAIT = { first: 25, last: 200 };
/** How long one try may take, in milliseconds: a slow disk is waited for. */
const TIMEOUT = 10_000;

/** @returns Undefined if the process was not reached, or has ended. */
async function tryOnce(service: Service, method: Method, args: readonly unknown[]): Promise<Outcome | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await service.fetch(`http://results/${method}`, {
      method: "POST",
      body: JSON.stringify(args),
      signal,
    });
    return await response.json<Outcome>();
  } catch {
    return undefined;
  }
}

async function call(service: Service, method: Method, args: readonly unknown[]): Promise<unknown> {
  const end = Date.now() + PATIENCE;
  for (let wait = WAIT.first; ; wait = Math.min(WAIT.last, 2 * wait)) {
    const outcome = await tryOnce(service, method, args);
    if (outcome !== undefined) {
      if ("value" in outcome) return outcome.value;
      const { message, ...rest } = outcome.error;
      throw Object.assign(new Error(message), rest);
    }
    if (Date.now() + wait > end) {
      throw Object.assign(new Error("The process that stores the results does not answer."), { retryable: true });
    }
    await scheduler.wait(wait);
  }
}

/** @param service Of the process that stores the results; see worker/store.ts. */
export function resultsElsewhere(service: Service): ResultsApi {
  const method =
    (name: Method) =>
    (...args: unknown[]) =>
      call(service, name, args);
  return {
    has: method("has"),
    put: method("put"),
    get: method("get"),
    list: method("list"),
    erase: method("erase"),
    check: method("check"),
    pushStatus: method("pushStatus"),
    retryPush: method("retryPush"),
  } as ResultsApi;
}
