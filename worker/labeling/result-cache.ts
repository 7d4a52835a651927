/**
 * Caches the labels of images by the SHA-256 of image, model and parameters: in the isolate up to a limit, and in the
 * Cache API where it is available. It does not handle images.
 */
import type { Found } from "../observability/trace.ts";
import { sha256 } from "../runtime/digest.ts";
import type { Labelled } from "./types.ts";

/** The approximate memory limit of cached results, in bytes. */
const CAPACITY = 4 << 20;

const costOf = ({ labels, regions = [] }: Labelled): number =>
  300 + regions.reduce((sum, region) => sum + 100 + 120 * region.labels.length, 120 * labels.length);

/** How many large images are remembered by their beginnings: 130 bytes each. */
const MOST_BEGINNINGS = 1000;

/** How long the Cache API keeps a result, in seconds. */
const MAX_AGE = 7 * 86_400;

/** The path of results in the Cache API. No route of the labeler answers it. */
const PATH = "/.cached-results/";

export class ResultCache {
  readonly #capacity: number;
  /** Results by key, the least recently used one first. */
  readonly #memory = new Map<string, Labelled>();
  #bytes = 0;
  /** Sizes and digests of the beginnings of large images, the least recent one first. */
  readonly #beginnings = new Set<string>();
  /** Plain workerd does not have a cache behind the API, which only shows when the API is used. */
  #shared = typeof caches !== "undefined";

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** @param origin The origin of the request, whose cache is asked as well; only the isolate is without one. */
  async find(
    key: string,
    origin?: string,
  ): Promise<{ readonly labelled: Labelled; readonly found: Found } | undefined> {
    const near = this.#memory.get(key);
    if (near !== undefined) {
      this.#memory.delete(key);
      this.#memory.set(key, near);
      return { labelled: near, found: "memory" };
    }
    if (!this.#shared || origin === undefined) return undefined;
    try {
      const response = await caches.default.match(origin + PATH + key);
      if (response === undefined) return undefined;
      const labelled = await response.json<Labelled>();
      this.#remember(key, labelled);
      return { labelled, found: "cache-api" };
    } catch {
      this.#shared = false;
      return undefined;
    }
  }

  /**
   * Whether an image of this size with this beginning has come to this isolate before, as a guess: the rest of it may
   * differ.
   */
  async isRepeated(beginning: Uint8Array, size: number): Promise<boolean> {
    const known = `${size} ${await sha256(new Uint8Array(beginning))}`;
    const repeated = this.#beginnings.delete(known);
    this.#beginnings.add(known);
    for (const oldest of this.#beginnings) {
      if (this.#beginnings.size <= MOST_BEGINNINGS) break;
      this.#beginnings.delete(oldest);
    }
    return repeated;
  }

  /**
   * Stores a result.
   *
   * @param keepAlive Lets the write to the Cache API outlive the request.
   * @param origin The origin of the request, in whose cache it is stored as well.
   */
  keep(key: string, labelled: Labelled, keepAlive: (work: Promise<unknown>) => void, origin?: string): void {
    this.#remember(key, labelled);
    if (!this.#shared || origin === undefined) return;
    const response = Response.json(labelled, { headers: { "cache-control": `max-age=${MAX_AGE}` } });
    const write = caches.default.put(origin + PATH + key, response).catch(() => {
      this.#shared = false;
    });
    keepAlive(write);
  }

  #remember(key: string, labelled: Labelled): void {
    const before = this.#memory.get(key);
    if (before !== undefined) this.#bytes -= costOf(before);
    this.#memory.delete(key);
    this.#memory.set(key, labelled);
    this.#bytes += costOf(labelled);
    for (const [oldest, value] of this.#memory) {
      if (this.#bytes <= this.#capacity) break;
      this.#memory.delete(oldest);
      this.#bytes -= costOf(value);
    }
  }
}
