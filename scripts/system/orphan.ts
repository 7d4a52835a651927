/** A command that outlives npm, which gives its signals to a shell that ends without passing them on. */

/** @param script The command's name in package.json. @param ended Called when npm has ended and the command runs on. */
export function whenOrphaned(script: string, ended: () => void): void {
  if (process.env.npm_lifecycle_event !== script) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ended();
  }, 250);
}
