/** Starts the labeler that npm run bench:fair loads: workerd alone, or `npm run serve` with several workers. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scriptArguments } from "../../labeler/run.ts";
import { startWorkerd } from "../../labeler/workerd.ts";
import { freePorts } from "../../system/ports.ts";
import { preciseCpuMs } from "../../system/processes.ts";
import { Running, untilAnswers } from "../peers/servers.ts";

/** A labeler under load. */
export interface Loaded {
  /** Its address without a slash at the end. */
  readonly url: string;
  /** The processor time of all its processes so far, in milliseconds. */
  readonly cpuMs: number;
  stop(): Promise<void>;
}

/** @param prelude A script that runs before the Worker. */
export async function startAlone(prelude: string | undefined): Promise<Loaded> {
  const { url, pid, stop } = await startWorkerd({
    settings: { LOG: "off" },
    ...(prelude !== undefined && { prelude }),
  });
  return {
    url,
    get cpuMs() {
      return preciseCpuMs(pid);
    },
    stop,
  };
}

/** @param workers How many workers it has. */
export async function startServed(workers: number): Promise<Loaded> {
  const [port] = await freePorts(1);
  const state = mkdtempSync(join(tmpdir(), "edge-labeler-fair-"));
  const args = ["--port", `${port}`, "--state", state, "--workers", `${workers}`, "--var", "LOG:off"];
  const program = scriptArguments("scripts/user/serve.ts", args);
  const child = spawn(process.execPath, program, { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswers(`${url}/readyz`, child);
  return new Running("labeler", url, child, () => rmSync(state, { recursive: true }));
}
