/** `npm run docs`: writes the tables of the documentation that are generated from the code. */
import { readFileSync, writeFileSync } from "node:fs";
import { runCommand } from "../command-line/command.ts";
import { GENERATED } from "./docs/generated.ts";
import { withGenerated } from "./docs/table.ts";

await runCommand(
  { usage: "npm run docs: writes the tables of the documentation that are made of the code" },
  async () => {
    for (const { path, name, make } of GENERATED) {
      const document = readFileSync(path, "utf8");
      const made = withGenerated(document, name, make());
      if (made !== document) writeFileSync(path, made);
      console.log(`${path}, ${name}: ${made === document ? "up to date" : "written"}.`);
    }
    return 0;
  },
);
