/** Asks the labeler over HTTP for all labels of a file, and restarts it after a file that terminated it. */

import { type RunningWorkerd, startWorkerd } from "../../labeler/workerd.ts";
import type { Label } from "../label/answers.ts";

export interface Labelled {
  /** The labels of all classes, by descending confidence. */
  readonly labels: readonly Label[];
  readonly missing: number;
  readonly warnings: number;
  /** The value of X-Image-Scale; absent at full scale. */
  readonly scale?: string;
}

export interface Refused {
  readonly status: number;
  /** The kind of error, such as `broken-image`. */
  readonly kind: string;
  readonly detail: string;
}

/** What must never happen: an internal error of the labeler, or no answer. */
export interface Fault {
  readonly fault: string;
}

export type Answer = Labelled | Refused | Fault;

export class Product {
  readonly #models: string;
  readonly #model: string;
  readonly #timeoutMs: number;
  #running: RunningWorkerd | undefined;

  /** @param timeoutMs How long one file may take. */
  constructor(models: string, model: string, timeoutMs: number) {
    this.#models = models;
    this.#model = model;
    this.#timeoutMs = timeoutMs;
  }

  async start(): Promise<void> {
    // Cached results would hide what the second decoding returns.
    const settings = { DEFAULT_MODEL: this.#model, CACHE_ANSWERS: "false", LOG: "errors" };
    this.#running = await startWorkerd({ models: this.#models, settings });
  }

  /** @param query The parameters of POST /label. */
  async ask(bytes: Uint8Array<ArrayBuffer>, query: Readonly<Record<string, string>>): Promise<Answer> {
    if (this.#running === undefined) await this.start();
    try {
      const response = await fetch(`${this.#running?.url}/label?${new URLSearchParams(query)}`, {
        method: "POST",
        body: bytes,
        headers: { "content-type": "application/octet-stream" },
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      return await answerIn(response);
    } catch (error) {
      const { name, message, cause } = error as Error;
      await this.stop();
      if (name === "TimeoutError") return { fault: `no answer within ${this.#timeoutMs / 1000} s` };
      return { fault: `the connection broke: ${cause instanceof Error ? cause.message : message}` };
    }
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }
}

async function answerIn(response: Response): Promise<Answer> {
  const { status, headers } = response;
  if (status >= 500) return { fault: `status ${status}: ${(await response.text()).slice(0, 300)}` };
  if (!response.ok) {
    const { type = "", detail = "" } = (await response.json()) as { type?: string; detail?: string };
    return { status, kind: type.split(":").at(-1) ?? "", detail };
  }
  const scale = headers.get("x-image-scale");
  return {
    labels: (await response.json()) as Label[],
    missing: Number(headers.get("x-image-missing") ?? 0),
    warnings: Number(headers.get("x-image-warnings") ?? 0),
    ...(scale !== null && { scale }),
  };
}
