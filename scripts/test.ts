/** npm test: all tests. With arguments only vitest, which gets them: npm test -- --project unit */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { runHandingOn } from "./lib/command.ts";
import { node } from "./lib/run.ts";

const CODECS = "native/codecs/test";

const usage = `npm test -- [vitest's options] [FILE …]: all tests; with arguments those of TypeScript alone

  --project NAME       unit (inside workerd) or blackbox (from outside)
  -t PATTERN           those with such a name

So do all options of vitest: npx vitest --help. LABELER_REFERENCE names the folder with the reference data.`;

await runHandingOn(usage, async (args) => {
  let code = 0;
  // First the few seconds of C, so that the count of the whole suite is the last that a run prints.
  if (args.length === 0) {
    const files = readdirSync(CODECS).filter((name) => name.endsWith(".test.mjs"));
    code = await node(["--test", "--test-reporter=dot", ...files.map((name) => join(CODECS, name))]);
  }
  return code === 0 ? node(["node_modules/vitest/vitest.mjs", "run", ...args]) : code;
});
