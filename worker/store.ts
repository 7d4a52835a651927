/**
 * The Worker of the process that stores the results where the labeler has several workers (npm run serve --workers). Only
 * those workers reach it, over a unix socket. POST /METHOD calls a method of the Durable Object with the JSON array of its
 * arguments, and answers with an Outcome.
 */
import { METHODS, type Method, type Outcome, type ResultsApi } from "./results/results-api.ts";
import type { Bindings } from "./settings/settings.ts";

export { Results } from "./results/object.ts";

const isMethod = (name: string): name is Method => (METHODS as readonly string[]).includes(name);

async function outcomeOf(results: ResultsApi, method: Method, args: unknown[]): Promise<Outcome> {
  try {
    const value = await (results[method] as (...args: unknown[]) => Promise<unknown>)(...args);
    return { value: value ?? null };
  } catch (error) {
    const { message, overloaded, retryable } = error as Error & { overloaded?: boolean; retryable?: boolean };
    return { error: { message, overloaded, retryable } };
  }
}

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1);
    if (name === "healthz") return Response.json({ status: "ok" });
    if (request.method !== "POST" || !isMethod(name)) return new Response("There is no such method.", { status: 404 });
    const results = env.RESULTS.getByName("results") as unknown as ResultsApi;
    return Response.json(await outcomeOf(results, name, await request.json<unknown[]>()));
  },
} satisfies ExportedHandler<Bindings>;
