/** `edge-labeler COMMAND`: the program of a package, which runs the commands of a checkout that do not need its sources. */
import { NEEDED_NODE, PRODUCT_VERSION } from "../../build/version.ts";
import { refuseNode } from "../../run/node-version.mjs";

const COMMANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  serve: () => import("../serve.ts"),
  label: () => import("../label.ts"),
  model: () => import("../model.ts"),
  ekuiper: () => import("../ekuiper.ts"),
  token: () => import("../token.ts"),
};

/** The commands that bundle sources. */
const OF_A_CHECKOUT: readonly string[] = ["start", "deploy", "demo", "evaluate", "package", "wrangler"];

const usage = `edge-labeler COMMAND [options]

  serve     runs the labeler
  label     labels image files
  model     adds, teaches, checks and removes models
  ekuiper   installs the labeler's functions and rules on a gateway with eKuiper, and tests them
  token     makes a bearer token for a client

edge-labeler COMMAND --help explains the options of a command. edge-labeler --version prints the version.`;

/** Ends with exit code 2. */
function refuse(message: string): void {
  console.error(message);
  process.exitCode = 2;
}

const [, , command = "", ...rest] = process.argv;
// A package is not run by its own npm scripts: paths are relative to the folder in which it was started.
delete process.env.INIT_CWD;

const refusal = refuseNode(NEEDED_NODE);
if (refusal !== undefined) {
  refuse(refusal);
} else if (Object.hasOwn(COMMANDS, command)) {
  process.argv.splice(2, 1);
  await COMMANDS[command]();
} else if (["--help", "-h", "help"].includes(command) || (command === "" && rest.length === 0)) {
  console.log(usage);
  if (command === "") process.exitCode = 2;
} else if (["--version", "-V", "version"].includes(command)) {
  console.log(PRODUCT_VERSION);
} else if (OF_A_CHECKOUT.includes(command)) {
  const script = command === "start" ? "npm start" : `npm run ${command}`;
  refuse(
    `edge-labeler ${command} needs a checkout of the sources, which this package does not contain. Run ${script} there.`,
  );
} else {
  refuse(`There is no command ${command}. There are ${Object.keys(COMMANDS).join(", ")}. Help: edge-labeler --help`);
}
