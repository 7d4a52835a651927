/** An engine with one model, in a process of its own. */

import { type Sample, startWorker, WorkerProcess } from "../../labeler/worker-process.ts";
import { Inspector, type IsolateMemory } from "../../measure/isolate-memory.ts";
import { residentMB } from "../../system/processes.ts";

/** What an engine says of itself when it has loaded a model. */
export interface Details {
  readonly residentBytes?: number;
  readonly exactDot?: "unsigned" | "signed" | false;
}

/** A process that holds an engine with its model. */
export interface Cell {
  readonly details: Details;
  /** @param pixels [height, width, 3] of the model's input, red first. @returns What the network gives. */
  run(pixels: Uint8Array<ArrayBuffer>): Promise<readonly number[]>;
  /** `repeat` inferences of the pixels that run() had last. */
  sample(repeat: number): Promise<Sample>;
  /** Memory of the process, and of the isolate where it is one. */
  memory(): Promise<{ readonly residentMB: number; readonly isolate?: IsolateMemory }>;
  stop(): Promise<void>;
}

/** A Worker of workers/ in workerd. */
export class WorkerdCell extends WorkerProcess implements Cell {
  details: Details = {};

  /** @param config of bundleEngine. @throws Error if the Worker does not start. */
  static async start(config: string): Promise<WorkerdCell> {
    return new WorkerdCell(await startWorker(config, { inspected: true }));
  }

  /** @param query Further parameters of the Worker. */
  async load(model: string, query: Readonly<Record<string, string>>): Promise<void> {
    this.details = await this.ask(`/load?${new URLSearchParams({ ...query, model })}`);
  }

  run(pixels: Uint8Array<ArrayBuffer>): Promise<readonly number[]> {
    return this.ask("/run", pixels);
  }

  async memory(): Promise<{ readonly residentMB: number; readonly isolate: IsolateMemory }> {
    const resident = residentMB(this.pid);
    const inspector = await Inspector.open(this.inspector);
    try {
      return { residentMB: resident, isolate: await inspector.memory() };
    } finally {
      inspector.close();
    }
  }
}
