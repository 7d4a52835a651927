/** The type of the context of middleware and routes. */
import type { Trace } from "../observability/trace.ts";
import type { Execute, ExecuteInParts } from "../runtime/execute.ts";
import type { Bindings } from "../settings/settings.ts";

/** The environment of the Hono app. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    /** The name of the request's token, if it has one. */
    client?: string | undefined;
    /** The events and times of the request so far. */
    trace?: Trace | undefined;
    /** The share of the memory budget that a body takes. */
    memory?: { release(): void } | undefined;
    /** Runs work that blocks the thread when the scheduler gives this request the thread. */
    execute: Execute;
    executeInParts: ExecuteInParts;
    /** Call it if the request has many images or a large one. */
    onMuchWork: () => void;
  };
}
