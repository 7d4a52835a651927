/** npm test: all tests. Arguments go to vitest: npm test -- --project unit */
import { node } from "./lib/run.ts";

process.exitCode = await node(["node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2)]);
