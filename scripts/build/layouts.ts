/**
 * `npm run layouts`: generates the C headers and the TypeScript of the memory layouts that both share from
 * native/layouts/*.json.
 */
import { readFile } from "node:fs/promises";
import { CommandError, runCommand } from "../command-line/command.ts";
import { generated } from "./layouts/generated.ts";
import { writeIfNew } from "./write-if-new.ts";

const usage = `npm run layouts -- [options]: generates the C headers and the TypeScript of the shared memory layouts

  --check   writes nothing; exits with 1 if a file differs from native/layouts/*.json`;

await runCommand({ usage, options: { check: { type: "boolean" } } }, async ({ check = false }) => {
  const stale: string[] = [];
  for (const { path, text } of generated()) {
    if (check) {
      const old = await readFile(path, "utf8").catch(() => undefined);
      if (old !== text) stale.push(path);
    } else {
      await writeIfNew(path, text);
    }
  }
  if (stale.length > 0) {
    throw new CommandError(`${stale.join(", ")}: not as native/layouts describes it. Run npm run layouts.`, 1);
  }
  return 0;
});
