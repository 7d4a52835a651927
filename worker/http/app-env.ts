/** What middleware and routes find in their context. */
import type { Trace } from "../observability/trace.ts";
import type { Execute, ExecuteInParts } from "../runtime/execute.ts";
import type { Bindings } from "../settings/settings.ts";

/** The environment of the Hono app. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    /** The name of the token that the request came with, if any. */
    client?: string | undefined;
    /** What became of the request so far. */
    trace?: Trace | undefined;
    /** What a body in memory takes of the budget. */
    memory?: { release(): void } | undefined;
    /** Runs what blocks the thread when it is this request's turn. */
    execute: Execute;
    executeInParts: ExecuteInParts;
    /** To be called where the request carries many images or a large one. */
    onMuchWork: () => void;
  };
}
