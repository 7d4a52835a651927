/** How the commands end that start a labeler of their own. */

/** Whether the arguments themselves were wrong, as parseArgs() of Node sees it. */
export const isBadUsage = (error: unknown): error is Error =>
  (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;

/**
 * Runs a command to its end. A mistake of the user's is a line on stderr and exit code 2; anything else that is thrown is
 * a bug and shows itself.
 *
 * @param main Gives the exit code.
 * @param mistakes The classes of what is the user's mistake, beside wrong arguments.
 */
export async function runCommand(
  main: () => Promise<number>,
  mistakes: readonly (new (...args: never[]) => Error)[],
): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!isBadUsage(error) && !mistakes.some((mistake) => error instanceof mistake)) throw error;
    console.error((error as Error).message);
    process.exitCode = 2;
  }
  // wrangler, which bundled the Worker, may hold the program open.
  process.stdout.write("", () => process.exit());
}
