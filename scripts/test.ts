/** npm test: all tests. With arguments only vitest, which gets them: npm test -- --project unit */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { node } from "./lib/run.ts";

const CODECS = "native/codecs/test";

const args = process.argv.slice(2);
let code = await node(["node_modules/vitest/vitest.mjs", "run", ...args]);
if (code === 0 && args.length === 0) {
  const files = readdirSync(CODECS).filter((name) => name.endsWith(".test.mjs"));
  code = await node(["--test", "--test-reporter=dot", ...files.map((name) => join(CODECS, name))]);
}
process.exitCode = code;
