/** The Worker's exports. */
import { app } from "./app.ts";

export { Results } from "./results/object.ts";

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
