/** Runs other programs for the scripts. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { V8_FLAGS } from "./workerd-config.ts";

/** wrangler's own starter refuses Node 20, although wrangler runs on it, so its program is started directly. */
const WRANGLER = "node_modules/wrangler/wrangler-dist/cli.js";

/**
 * Disables usage data, the look-up of this machine's location and the banner; the caller's environment takes
 * precedence.
 */
const QUIET = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  MINIFLARE_WORKERD_V8_FLAGS: V8_FLAGS.join(" "),
};

/** Runs a program of scripts/, compiled once. */
const RUN = fileURLToPath(new URL("../run.mjs", import.meta.url));

/**
 * The arguments of Node that run a program of scripts/.
 *
 * @param program Its path from the root of the checkout: "scripts/user/label.ts".
 */
export const scriptArguments = (program: string, args: readonly string[] = []): string[] => [RUN, program, ...args];

/** Runs Node with these arguments in the foreground. @returns Its exit code. */
export function node(args: readonly string[]): Promise<number> {
  return run(process.execPath, args);
}

/**
 * Runs wrangler in the foreground.
 *
 * @param env Variables that take precedence over the caller's environment.
 * @returns Its exit code.
 */
export function wrangler(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  return run(process.execPath, [WRANGLER, ...args], { ...QUIET, ...process.env, ...env });
}

/** Runs wrangler, and reads what it prints. */
export function wranglerOutput(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...QUIET, NO_COLOR: "1", ...process.env };
  return new Promise((resolve) => {
    execFile(process.execPath, [WRANGLER, ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code) || 1, out, err });
    });
  });
}

/** Bundles the Worker into a folder, as for a deployment. It needs neither an account nor the network. */
export function bundleWorker(folder: string): void {
  execFileSync(process.execPath, [WRANGLER, "deploy", "--dry-run", "--outdir", folder], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...QUIET, ...process.env },
  });
}

/** Writes the types of the Worker's bindings and of the Workers runtime. @param file A .d.ts file. */
export function writeBindingTypes(file: string): void {
  execFileSync(process.execPath, [WRANGLER, "types", file], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...QUIET, ...process.env },
  });
}

/** The size of the Worker in bytes: script and wasm, both raw and each compressed with gzip. */
export function bundleSize(): { raw: number; gzip: number } {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-bundle-"));
  try {
    bundleWorker(folder);
    const files = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name));
    const contents = files.map((name) => readFileSync(join(folder, name)));
    return {
      raw: contents.reduce((sum, bytes) => sum + bytes.length, 0),
      gzip: contents.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a command in the foreground; Ctrl-C reaches it, and this program waits for its end. @returns Its exit code. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", env });
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
