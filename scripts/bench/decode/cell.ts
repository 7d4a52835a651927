/** A decoder with one file, in a process of its own. */
import { readFileSync, writeFileSync } from "node:fs";
import { type Sample, startWorker, WorkerProcess } from "../../labeler/worker-process.ts";
import { residentMB } from "../../system/processes.ts";

export interface FirstDecode {
  readonly width: number;
  readonly height: number;
  /** Of all colours, 0..255; undefined for palette indices. */
  readonly mean?: number;
  readonly outputBytes: number;
  readonly wasmBytes: number;
  /** What the process has at the most while it decodes, beyond what it had with the file in hand, in bytes. */
  readonly residentBytes: number;
}

const MB = 1 << 20;

/** A decoder that is measured. */
export interface Measured {
  /** The first decode, for what it gives and the memory it takes. */
  first(): Promise<FirstDecode>;
  /** As many decodes. */
  sample(repeat: number): Promise<Sample>;
  stop(): Promise<void>;
}

/** The most that a process had resident since resetPeak(), in MB. */
export function peakMB(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmHWM:\s*(\d+)/)?.[1]) / 1024;
}

/** Lets a process's peak begin with what it has now: man 5 proc, clear_refs. */
export const resetPeak = (pid: number) => writeFileSync(`/proc/${pid}/clear_refs`, "5");

export class Cell extends WorkerProcess implements Measured {
  /** @param config of bundleEngine. @throws Error if the Worker does not start: it cannot run in workerd. */
  static async start(config: string, file: Uint8Array<ArrayBuffer>): Promise<Cell> {
    const cell = new Cell(await startWorker(config));
    try {
      await cell.ask("/file", file);
      return cell;
    } catch (error) {
      await cell.stop();
      throw error;
    }
  }

  async first(): Promise<FirstDecode> {
    const before = residentMB(this.pid);
    resetPeak(this.pid);
    const decode = await this.ask<Omit<FirstDecode, "residentBytes">>("/first");
    return { ...decode, residentBytes: Math.round((peakMB(this.pid) - before) * MB) };
  }
}
