/** Native TensorFlow Lite, where there is a Python with ai-edge-litert: what the machine can do outside of an isolate. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { type Sample, stopChild } from "../../labeler/worker-process.ts";
import { preciseCpuMs, residentMB } from "../../system/processes.ts";
import type { Cell } from "./cell.ts";
import { MODEL_CACHE, type Prepared } from "./models.ts";

const PROGRAM = "scripts/bench/inference/native.py";

/** The Python that BENCH_PYTHON names, or python3, if it has the package. */
export function findPython(): string | undefined {
  const python = process.env.BENCH_PYTHON ?? "python3";
  const { status } = spawnSync(python, ["-c", "import ai_edge_litert.interpreter"], { stdio: "ignore" });
  return status === 0 ? python : undefined;
}

export class NativeCell implements Cell {
  readonly details = {};
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #folder: string;

  private constructor(child: ChildProcess, reader: Interface, folder: string) {
    this.#child = child;
    this.#reader = reader;
    this.#lines = reader[Symbol.asyncIterator]();
    this.#folder = folder;
  }

  static async start(python: string, { name, input }: Prepared): Promise<NativeCell> {
    const { mean, std } = input.normalization ?? { mean: [0], std: [1] };
    const child = spawn(python, [PROGRAM, String(mean[0]), String(std[0])], { stdio: ["pipe", "pipe", "ignore"] });
    const cell = new NativeCell(child, createInterface(child.stdout), resolve(MODEL_CACHE, name));
    try {
      await cell.#answer();
      await cell.#ask(`load ${join(cell.#folder, "model.tflite")}`);
      return cell;
    } catch (error) {
      await cell.stop();
      throw error;
    }
  }

  async #answer<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${PROGRAM} ended`);
    return JSON.parse(value);
  }

  #ask<T>(command: string): Promise<T> {
    this.#child.stdin?.write(`${command}\n`);
    return this.#answer();
  }

  run(pixels: Uint8Array<ArrayBuffer>): Promise<readonly number[]> {
    const file = join(this.#folder, "pixels.bin");
    writeFileSync(file, pixels);
    return this.#ask(`run ${file}`);
  }

  async sample(repeat: number): Promise<Sample> {
    const before = preciseCpuMs(this.#child.pid ?? 0);
    const { ms } = await this.#ask<{ readonly ms: number }>(`time ${repeat}`);
    return { cpu: (preciseCpuMs(this.#child.pid ?? 0) - before) / repeat, wall: ms };
  }

  async memory(): Promise<{ readonly residentMB: number }> {
    return { residentMB: residentMB(this.#child.pid ?? 0) };
  }

  async stop(): Promise<void> {
    this.#reader.close();
    await stopChild(this.#child);
  }
}
