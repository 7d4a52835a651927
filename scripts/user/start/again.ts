/** Starts a server again that has ended because of a file that it cannot serve. */

export interface Again {
  /** Runs the server. @returns Its exit code; above 128 if a signal ended it. */
  readonly run: () => Promise<number>;
  /** The files that are too large to be served now. */
  readonly tooLarge: () => Promise<readonly string[]>;
  /** Leaves files out from now on. */
  readonly leaveOut: (files: readonly string[]) => Promise<void>;
}

/**
 * Runs a server that does not serve files of more than some size, and ends when one grows beyond it while it reads the
 * folder. Any other end is final, as is one for files that were left out already.
 *
 * @returns The exit code of the last run.
 */
export async function runAgain({ run, tooLarge, leaveOut }: Again): Promise<number> {
  let known = new Set(await tooLarge());
  for (;;) {
    const code = await run();
    if (code === 0 || code > 128) return code;
    const large = await tooLarge();
    const grown = large.filter((file) => !known.has(file));
    if (grown.length === 0) return code;
    await leaveOut(grown);
    known = new Set(large);
  }
}
