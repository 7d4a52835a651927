/**
 * The workers of one labeler (npm run serve --workers): each is a process of its own, and the limits hold for all of them.
 * What can be divided is divided; for the rest a worker asks the supervisor, over a unix socket.
 */
import type { CallRate } from "../runtime/token-bucket.ts";
import type { Bindings } from "../settings/settings.ts";

/** Whether this is one of several workers. */
export const isOneOfSeveral = ({ SUPERVISOR }: Bindings): boolean => SUPERVISOR !== undefined;

/** The share of this worker in a limit of the labeler. The shares of all workers add up to it. */
export function shareOf({ WORKER }: Bindings, total: number): number {
  const [, number, of] = /^(\d+)\/(\d+)$/.exec(WORKER ?? "")?.map(Number) ?? [0, 1, 1];
  return Math.floor(total / of) + (number <= total % of ? 1 : 0);
}

/** @throws Error if the supervisor does not answer: it has ended, and this process is about to. */
async function ask({ SUPERVISOR }: Bindings, path: string, body?: unknown): Promise<Response> {
  if (SUPERVISOR === undefined) throw new Error("This worker has no supervisor.");
  const response = await SUPERVISOR.fetch(`http://supervisor${path}`, {
    method: body === undefined ? "GET" : "POST",
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`The supervisor gave status ${response.status} for ${path}.`);
  return response;
}

/**
 * Counts a call for its caller, for all workers.
 *
 * @returns 0 if it is allowed, else the number of seconds until one is.
 */
export async function countElsewhere(env: Bindings, key: string, limit: CallRate): Promise<number> {
  return (await ask(env, "/calls", { key, limit })).json<number>();
}

/**
 * Asks for memory for forms and JSON.
 *
 * @param bytes How much this worker holds in all. @param limit How much all workers may hold, in bytes.
 * @returns How much it may hold, in bytes; 0 if that is not free.
 */
export async function askForFormMemory(env: Bindings, bytes: number, limit: number): Promise<number> {
  return (await ask(env, "/form-memory", { process: env.PROCESS, bytes, limit })).json<number>();
}

/** The metrics of all workers, summed, in Prometheus' text format. */
export const metricsOfAll = async (env: Bindings): Promise<string> => (await ask(env, "/metrics")).text();
