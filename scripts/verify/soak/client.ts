/** A client of `npm run soak`: makes one call after the other, most of them valid, and records wrong answers. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Call, goodCall } from "./calls.ts";
import { breakUpload, hostileCall } from "./hostile.ts";
import type { Picture } from "./pictures.ts";
import type { Random } from "./random.ts";

/** The number of hostile calls among 100. */
const HOSTILE = 5;
/** The share of hostile calls that get no answer. */
const BROKEN = 0.4;
/** The time limit of an answer, in milliseconds. */
const ANSWERED_WITHIN = 60_000;
/** Refusals of a labeler that is busy, or whose disk is full. */
const REFUSALS = [503, 507];

/** The labeler that is called. */
interface Called {
  /** Its address, without a slash at the end. */
  readonly url: string;
  /** Whether it was killed within an interval of performance.now(). */
  wasDown(from: number, until: number): boolean;
}

/** What all clients of one labeler share. */
export class Soak {
  /** Faults, as sentences. */
  readonly faults: string[] = [];
  /** The numbers of calls by kind, and then by status. */
  readonly seen = new Map<string, Map<string, number>>();
  /** The ids that were acknowledged, with the label of their images. */
  readonly acknowledged = new Map<string, string>();
  /** The top-1 labels of the pictures by the default model, by the pictures' names. */
  readonly labels = new Map<string, string>();
  #marks = 0;

  constructor(
    readonly labeler: Called,
    readonly pictures: readonly Picture[],
    readonly seed: number,
  ) {}

  readonly mark = (): string => `soak-${this.seed}-${this.#marks++}`;

  note(kind: string, status: string): void {
    const statuses = this.seen.get(kind) ?? new Map<string, number>();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    this.seen.set(kind, statuses);
  }

  /** Labels all pictures one by one while nothing else runs. */
  async learnLabels(): Promise<void> {
    for (const { name, bytes } of this.pictures) {
      const response = await fetch(`${this.labeler.url}/label`, { method: "POST", body: new Uint8Array(bytes) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${name} was answered with ${response.status}: ${text}`);
      this.labels.set(name, (JSON.parse(text) as { label: string }[])[0].label);
    }
  }

  /** @returns The status; undefined if workerd was dead. */
  async #answer({ kind, path, body, headers = {} }: Call): Promise<{ status: number; text: string } | undefined> {
    const begin = performance.now();
    try {
      const init = body === undefined ? {} : { method: "POST", body, headers };
      const signal = AbortSignal.timeout(ANSWERED_WITHIN);
      const response = await fetch(this.labeler.url + path, { ...init, signal });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const why = ((error as Error).cause as { code?: string } | undefined)?.code ?? `${error}`;
      if (this.labeler.wasDown(begin, performance.now())) this.note(kind, "workerd was dead");
      else this.#fault(kind, `no answer: ${why}`);
      return undefined;
    }
  }

  #fault(kind: string, what: string): void {
    this.note(kind, "FAULT");
    this.faults.push(`${kind}: ${what}`);
  }

  async #callGood(call: Call): Promise<void> {
    const answer = await this.#answer(call);
    if (answer === undefined) return;
    const { status, text } = answer;
    const wanted = call.id === undefined ? 200 : 204;
    if (REFUSALS.includes(status)) return this.note(call.kind, `${status}`);
    if (status !== wanted) return this.#fault(call.kind, `${call.path}: ${status} ${text.slice(0, 300)}`);
    const labels = call.pictures.map(({ name }) => this.labels.get(name) ?? "");
    const found = call.labelsIn?.(text);
    if (found !== undefined && found.join() !== labels.join()) {
      return this.#fault(call.kind, `${call.path}: the labels are ${found.join()} and not ${labels.join()}`);
    }
    if (call.id !== undefined) this.acknowledged.set(call.id, labels[0]);
    this.note(call.kind, `${status}`);
  }

  /** Submits like a rule's sink: with the same id until it is acknowledged. */
  async #submit(call: Call, running: () => boolean): Promise<void> {
    while (running() && call.id !== undefined && !this.acknowledged.has(call.id)) {
      const faults = this.faults.length;
      await this.#callGood(call);
      if (this.faults.length > faults) return;
      if (!this.acknowledged.has(call.id)) await sleep(500);
    }
  }

  async #callHostile(random: Random): Promise<void> {
    const context = { random, pictures: this.pictures, url: this.labeler.url };
    if (random.below(100) < 100 * BROKEN) {
      await breakUpload(context);
      return this.note("broken upload", "broken off");
    }
    const call = hostileCall(context);
    const answer = await this.#answer(call);
    if (answer === undefined) return;
    const { status, text } = answer;
    if (status >= 500 && !REFUSALS.includes(status)) {
      return this.#fault(call.kind, `${call.path}: ${status} ${text.slice(0, 300)}`);
    }
    this.note(call.kind, `${status}`);
  }

  /** Makes calls one after the other as long as it runs. */
  async client(random: Random, running: () => boolean): Promise<void> {
    const context = { random, pictures: this.pictures, mark: this.mark };
    while (running()) {
      if (random.below(100) < HOSTILE) await this.#callHostile(random);
      else {
        const call = goodCall(context);
        await (call.id === undefined ? this.#callGood(call) : this.#submit(call, running));
      }
    }
  }
}
