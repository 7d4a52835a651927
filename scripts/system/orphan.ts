/** Ends a command that would outlive npm: npm passes its signals to a shell, which ends without passing them on. */

/**
 * @param script The command's name in package.json, unless npx runs it.
 * @param ended Called when npm has ended and the command still runs.
 */
export function whenOrphaned(script: string, ended: () => void): void {
  const { npm_lifecycle_event: event } = process.env;
  if (event !== script && event !== "npx") return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ended();
  }, 250);
}
