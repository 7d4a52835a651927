/** Installs the npm package as a user does, in an empty folder, for tests that run its commands there. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";

/** npm's settings of this machine, without which it may not reach a registry. What npm tells its scripts is left out. */
const NPM = /^(npm_config_(registry|userconfig|cafile)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i;

const npmSettings = () => Object.entries(process.env).filter(([name]) => NPM.test(name));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Installed {
  /** The empty folder. */
  readonly folder: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #running: ChildProcess[] = [];

  /** @param parent The folder in which the empty folder and a home are made. */
  constructor(parent: string) {
    this.folder = join(parent, "empty");
    this.home = join(parent, "home");
    for (const path of [this.folder, this.home]) mkdirSync(path);
    const cache = process.env.npm_config_cache ?? join(homedir(), ".npm");
    const PATH = [dirname(process.execPath), "/usr/bin", "/bin", "/usr/sbin", "/sbin"].join(":");
    this.env = { ...Object.fromEntries(npmSettings()), HOME: this.home, npm_config_cache: cache, PATH };
  }

  /** @param archive The path of the .tgz. */
  install(archive: string): void {
    execFileSync("npm", ["install", "--no-fund", "--no-audit", archive], {
      cwd: this.folder,
      env: this.env,
      stdio: "pipe",
    });
  }

  /** The packages that were installed. */
  packages(): string[] {
    const names = readdirSync(join(this.folder, "node_modules")).filter((name) => !name.startsWith("."));
    return names.flatMap((name) =>
      name.startsWith("@")
        ? readdirSync(join(this.folder, "node_modules", name)).map((one) => `${name}/${one}`)
        : [name],
    );
  }

  /** The path of a part of the installed package. */
  part(name: string): string {
    return join(this.folder, "node_modules/edge-labeler", name);
  }

  /** Runs `npx edge-labeler` with these arguments. */
  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const options = { cwd: this.folder, env: { ...this.env, ...env } };
    return new Promise((resolve, reject) => {
      const child = spawn("npx", ["edge-labeler", ...args], { ...options, stdio: ["ignore", "pipe", "pipe"] });
      let [out, err] = ["", ""];
      child.stdout.on("data", (data) => (out += data));
      child.stderr.on("data", (data) => (err += data));
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, out, err: err.replaceAll(/^npm (notice|warn).*\n/gm, "") }));
    });
  }

  /** Starts `npx edge-labeler serve` and waits until it answers. @returns Its URL. */
  async serve(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const [port] = await freePorts(1);
    const all = ["edge-labeler", "serve", "--port", `${port}`, "--drain", "1", ...args];
    const child = spawn("npx", all, { cwd: this.folder, env: { ...this.env, ...env } });
    this.#running.push(child);
    let log = "";
    child.on("error", (error) => (log += error.message));
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
    await expect.poll(() => log, { timeout: 60_000, interval: 20 }).toMatch(/Edge Labeler at|rror/);
    expect(log).toContain(`Edge Labeler at http://127.0.0.1:${port}`);
    return `http://127.0.0.1:${port}`;
  }

  /** Ends what was started. */
  async stop(): Promise<void> {
    for (const child of this.#running.splice(0)) {
      const ended = new Promise((wake) => child.once("exit", wake));
      if (child.exitCode === null && child.kill("SIGTERM")) await ended;
    }
  }
}
