/** What the commands of package.json share: their arguments, `--help`, relative paths, and how they end. */
import { resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { explainFileError } from "./file-errors.ts";

/** Why a command cannot do what was asked. The message is all that its user needs; any other error is a bug. */
export class CommandError extends Error {
  override name = "CommandError";

  /** @param exitCode 2 if nothing could be done, 1 if something was done and has failed. */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 2,
  ) {
    super(message);
  }
}

/** Thrown if the arguments are wrong: the message is followed by how to get help. */
export class UsageError extends CommandError {
  override name = "UsageError";
}

type Options = NonNullable<ParseArgsConfig["options"]>;

export interface Command<O extends Options = Options> {
  /** The output of `--help`. It begins with the command itself: "npm run label -- [options] FILE". */
  readonly usage: string;
  readonly options?: O;
  /** How many operands it accepts; none if absent. */
  readonly operands?: number;
}

/** The values of a command's options, as Node's parseArgs() returns them. */
export type Values<O extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: O }>>["values"];

/** @throws UsageError */
export function readArguments<const O extends Options>(
  { options, operands = 0 }: Command<O>,
  args: readonly string[],
): { values: Values<O>; operands: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: options ?? ({} as O),
      allowPositionals: true,
    });
    const extra = positionals[operands];
    if (extra !== undefined) throw new UsageError(`What is "${extra}"? ${limit(operands)}`);
    return { values, operands: positionals };
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") !== true) throw error;
    // Node adds advice about arguments that begin with a dash.
    const [what] = (error as Error).message.split(/\.(?:\s|$)/);
    const [, option] = /^Option '(?:-\w, )?(--\S+)[^']*' argument is ambiguous$/.exec(what) ?? [];
    if (option !== undefined) {
      throw new UsageError(`${option} lacks its value. One that begins with a dash is written ${option}=-….`);
    }
    const isFile = operands > 0 && /^Unknown option '-[^-]'$/.test(what);
    throw new UsageError(`${what}.${isFile ? " A file whose name begins with a dash is written ./-…." : ""}`);
  }
}

const limit = (operands: number) =>
  operands === 0 ? "The command takes options alone." : `The command takes no more than ${operands}.`;

/** How to get a command's help: "npm run label -- --help". */
const helpOf = (usage: string): string => {
  const [packaged] = /^edge-labeler \w+/.exec(usage) ?? [];
  if (packaged !== undefined) return `${packaged} --help`;
  const npm = /^npm (run )?[\w:]*\w/.exec(usage)?.[0];
  return npm === undefined ? `${usage.split(" [")[0]} --help` : `${npm} -- --help`;
};

/** Whether only help is asked for. Behind `--` there are no options. */
function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).some((arg) => arg === "--help" || arg === "-h");
}

/**
 * Runs a command that passes its arguments on to another program; otherwise like runCommand().
 *
 * @param main Returns the exit code.
 */
export async function runPassingThrough(
  usage: string,
  main: (args: readonly string[]) => Promise<number>,
): Promise<void> {
  const args = process.argv.slice(2);
  try {
    if (wantsHelp(args)) console.log(usage);
    else process.exitCode = await main(args);
  } catch (error) {
    const explained = explainFileError(error);
    if (explained === undefined && !(error instanceof CommandError)) throw error;
    const help = error instanceof UsageError ? ` Help: ${helpOf(usage)}` : "";
    console.error(explained ?? (error as CommandError).message + help);
    process.exitCode = error instanceof CommandError ? error.exitCode : 1;
  }
  // wrangler, which has bundled the Worker, may keep the process alive.
  process.stdout.write("", () => process.exit());
}

/**
 * Runs a command to its end: `--help` prints its usage; a CommandError prints its message on stderr and sets its exit
 * code; an error of the file system prints its cause and fix; any other error is a bug, and is thrown on.
 *
 * @param main Returns the exit code.
 */
export const runCommand = <const O extends Options>(
  command: Command<O>,
  main: (values: Values<O>, operands: string[]) => Promise<number>,
): Promise<void> =>
  runPassingThrough(command.usage, async (args) => {
    const { values, operands } = readArguments(command, args);
    return main(values, operands);
  });

/** @param name The name of the option. @throws UsageError */
export function countIn(name: string, text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || !Number.isSafeInteger(count)) {
    throw new UsageError(`--${name} ${text}: it is a whole number above 0.`);
  }
  return count;
}

/**
 * A path as the user means it: npm runs commands in the checkout, wherever the user is.
 *
 * @throws UsageError for an empty one, such as that of a variable that is not set, which would be the current folder.
 */
export function fromUser(path: string): string {
  if (path === "") throw new UsageError("The name of a file or folder is empty.");
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}
