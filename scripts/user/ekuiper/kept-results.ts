/** The results that the labeler keeps of a device, as `test` looks for its image among them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Labeler } from "./service.ts";

/** The label of an image. */
export interface Labelled {
  readonly label: string;
  readonly confidence: number;
}

export interface Row extends Labelled {
  readonly next: string;
  readonly id: string;
  readonly error?: string;
}

/** GET /results was refused. The message has the labeler's reason. */
export class ResultsRefused extends Error {
  override name = "ResultsRefused";
}

/** Two runs of a model over the same image need not be on the same processor. */
const TOLERANCE = 1e-6;

/** Whether both may be of the same image. */
export const isSame = (a: Labelled, b: Labelled): boolean =>
  a.label === b.label && Math.abs(a.confidence - b.confidence) <= TOLERANCE;

export class KeptResults {
  readonly #labeler: Labeler;
  readonly #device: string;

  constructor(labeler: Labeler, device: string) {
    this.#labeler = labeler;
    this.#device = encodeURIComponent(device);
  }

  async #get<T>(path: string): Promise<T> {
    const { url, token } = this.#labeler;
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(url + path, { headers, signal: AbortSignal.timeout(10_000) });
    if (response.ok) return response.json();
    const { detail = "without a reason" } = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new ResultsRefused(`The labeler refuses GET ${path.replace(/\?.*/, "")}: ${response.status}: ${detail}`);
  }

  get(id: string): Promise<Row> {
    return this.#get(`/results/${encodeURIComponent(id)}`);
  }

  /** The cursor behind the newest row. */
  async end(): Promise<string> {
    const [newest] = await this.#get<Row[]>(`/results?device=${this.#device}&order=newest&limit=1`);
    return newest?.next ?? "0";
  }

  /**
   * Waits for the row of an image among those that come.
   *
   * @param deadline A time of performance.now().
   * @returns The row, if it came; and how many others did.
   */
  async wait(since: string, image: Labelled, deadline: number): Promise<{ row: Row | undefined; others: number }> {
    let cursor = since;
    let others = 0;
    while (performance.now() < deadline) {
      const rows = await this.#get<Row[]>(`/results?device=${this.#device}&since=${cursor}&limit=100`);
      const row = rows.find((found) => isSame(found, image));
      if (row !== undefined) return { row, others };
      others += rows.length;
      cursor = rows.at(-1)?.next ?? cursor;
      await sleep(5);
    }
    return { row: undefined, others };
  }
}
