/** `npm pack` and `npm publish` in a checkout run this before they pack, and end with it. */
import { CommandError, runCommand } from "../command-line/command.ts";

await runCommand(
  { usage: "npm run prepack: refuses npm pack and npm publish, which would pack the sources" },
  async () => {
    throw new CommandError(
      "npm pack would pack the sources, with what only builds them. Make the package instead: npm run package -- --npm release",
      1,
    );
  },
);
