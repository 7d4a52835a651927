/** The Worker's exports. */
import { app } from "./app.ts";
import { internal as internalApp } from "./routes/internal.ts";

export { Results } from "./results/object.ts";

/**
 * Ends a tunnel (CONNECT) at once. workerd has said 200 by then, which a Worker cannot change; without a handler it would
 * say 500 and write an uncaught exception into the log for each. Nothing is ever connected to.
 */
const connect = (socket: Socket): Promise<void> => socket.close();

/** For the supervisor of several workers (npm run serve --workers), over a unix socket. Clients do not reach it. */
export const internal = { fetch: internalApp.fetch } satisfies ExportedHandler<Env>;

export default { fetch: app.fetch, connect } satisfies ExportedHandler<Env>;
