/** Runs other programs for the scripts. */
import { spawn } from "node:child_process";

/** wrangler's own starter refuses Node 20, though wrangler runs on it; so its program is started directly. */
export const WRANGLER = ["node_modules/wrangler/wrangler-dist/cli.js"];

/** Runs Node with these arguments in the foreground. @returns Its exit code. */
export function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return run(process.execPath, args, env);
}

/** Runs a command in the foreground; Ctrl-C reaches it, and this program waits for its end. @returns Its exit code. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
    const wait = () => undefined;
    process.on("SIGINT", wait);
    const stop = () => child.kill("SIGTERM");
    process.on("SIGTERM", stop);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait);
      process.off("SIGTERM", stop);
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}
