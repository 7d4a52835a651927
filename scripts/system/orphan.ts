/** Ends a command that would outlive npm: npm passes its signals to a shell, which ends without passing them on. */

/**
 * @param script The command's name in package.json.
 * @param ended Called when npm has ended and the command still runs.
 */
export function whenOrphaned(script: string, ended: () => void): void {
  if (process.env.npm_lifecycle_event !== script) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ended();
  }, 250);
}
