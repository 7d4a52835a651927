/** The Worker's exports. */
import { app } from "./app.ts";

export { Results } from "./results/object.ts";

/**
 * Ends a tunnel (CONNECT) at once. workerd has said 200 by then, which a Worker cannot change; without a handler it would
 * say 500 and write an uncaught exception into the log for each. Nothing is ever connected to.
 */
const connect = (socket: Socket): Promise<void> => socket.close();

export default { fetch: app.fetch, connect } satisfies ExportedHandler<Env>;
