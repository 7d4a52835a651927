/** The servers that npm run bench:peers compares, each with everything that it needs. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../system/ports.ts";
import { preciseCpuMs, processTree, proportionalMB } from "../../system/processes.ts";
import { pythonPrograms, REFERENCES } from "../../system/python.ts";
import { MODEL_CACHE, type Network } from "../inference/models.ts";

/** What the Python server is made of, besides Pillow and LiteRT. */
const PYTHON = [...REFERENCES, "fastapi==0.165.0", "uvicorn==0.54.0"];

/** How long a server may take to answer for the first time, in milliseconds. */
const PATIENCE = 60_000;

/** A server to be measured. */
export interface Peer {
  readonly name: string;
  /** Starts it with a network. @throws NoPython where Python is missing. */
  readonly start: (network: Network) => Promise<Running>;
}

/** Waits until a server answers. @throws Error if it ends or takes too long. */
export async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (child.exitCode === null && performance.now() < end) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(100);
  }
  throw new Error(`no server answers at ${url}`);
}

/** A server that runs, with all processes that it needs. */
export class Running {
  readonly name: string;
  /** Labels an image that is posted to it; returns JSON with labels by confidence. */
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #cleanUp: () => void;

  constructor(name: string, url: string, child: ChildProcess, cleanUp: () => void = () => undefined) {
    this.name = name;
    this.url = url;
    this.#child = child;
    this.#cleanUp = cleanUp;
  }

  /** The processor time of all its processes so far, in milliseconds. */
  get cpuMs(): number {
    return this.#tree.reduce((sum, pid) => sum + preciseCpuMs(pid), 0);
  }

  /** The processor time of the process that was started, without those that it has started, in milliseconds. */
  get ownCpuMs(): number {
    return preciseCpuMs(this.#child.pid ?? 0);
  }

  /** The proportional memory of all its processes, in MB. */
  get memoryMB(): number {
    return this.#tree.reduce((sum, pid) => sum + proportionalMB(pid), 0);
  }

  get #tree(): number[] {
    return processTree(this.#child.pid ?? 0);
  }

  async stop(): Promise<void> {
    const tree = this.#tree;
    const ended = new Promise((wake) => this.#child.once("exit", wake));
    for (const pid of tree.reverse()) process.kill(pid, "SIGKILL");
    await ended;
    this.#cleanUp();
  }
}

const modelFolder = ({ name }: Network) => resolve(MODEL_CACHE, name);

/** `npm run serve` without npm, with its own defaults. */
export const labeler = (workers: number): Peer => ({
  name: `Edge Labeler, ${workers} worker${workers > 1 ? "s" : ""}`,
  async start(network) {
    const [port] = await freePorts(1);
    const state = mkdtempSync(join(tmpdir(), "edge-labeler-peers-"));
    const { default: manifest } = await import("../../../package.json", { with: { type: "json" } });
    const [program, ...command] = manifest.scripts.serve.split(" ");
    const settings = ["--var", `DEFAULT_MODEL:${network.name}`];
    const args = [...command, "--port", String(port), "--state", state, "--workers", String(workers), ...settings];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
    const url = `http://127.0.0.1:${port}`;
    await untilAnswers(`${url}/readyz`, child);
    const query = "precision=fast&crop=squash";
    return new Running(this.name, `${url}/label?${query}`, child, () => rmSync(state, { recursive: true }));
  },
});

/** @param draft Whether Pillow decodes large JPEGs at a smaller scale. */
export const python = (workers: number, draft = false): Peer => ({
  name: `FastAPI, Pillow${draft ? " with draft()" : ""}, LiteRT, ${workers} worker${workers > 1 ? "s" : ""}`,
  async start(network) {
    const uvicorn = join(pythonPrograms("peers", PYTHON), "uvicorn");
    const [port] = await freePorts(1);
    const args = ["labeler:app", "--port", String(port), "--workers", String(workers), "--log-level", "warning"];
    // Some environments limit what numpy's OpenBLAS uses; it is not used here, but its threads take memory.
    const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...environment } = process.env;
    const env = { ...environment, LABELER_MODEL: modelFolder(network), ...(draft ? { LABELER_DRAFT: "1" } : {}) };
    const child = spawn(uvicorn, args, { cwd: "scripts/bench/peers", env, stdio: ["ignore", "ignore", "inherit"] });
    const url = `http://127.0.0.1:${port}`;
    await untilAnswers(`${url}/docs`, child);
    return new Running(this.name, `${url}/label`, child);
  },
});

export const node: Peer = {
  name: "Node, sharp, onnxruntime-node",
  async start(network) {
    const [port] = await freePorts(1);
    const args = ["rivals/sharp-labeler.js", String(port), modelFolder(network)];
    const child = spawn(process.execPath, args, { cwd: "scripts/bench", stdio: ["ignore", "ignore", "inherit"] });
    const url = `http://127.0.0.1:${port}/`;
    await untilAnswers(url, child);
    return new Running(this.name, url, child);
  },
};

/** The versions of what is compared, for the report. */
export const versions = (): readonly string[] => PYTHON;
