/** The clients of npm run bench:load, and what they saw. */
import { unseen } from "./unseen.ts";

/** What came of the requests of one kind. */
export class Seen {
  readonly times: number[] = [];
  readonly statuses = new Map<string, number>();

  /** @param ms From sending to the last byte of the answer. */
  add(status: string, ms: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status === "200") this.times.push(ms);
  }

  /** In ms; of the requests that were answered with a 200. */
  quantile(part: number): number {
    const sorted = this.times.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
  }
}

/** A status, and with a 503 whether it said when to come again. */
async function send(
  url: string,
  image: Uint8Array<ArrayBuffer> | Blob,
): Promise<{ status: string; retry: number; label: string }> {
  try {
    const response = await fetch(url, { method: "POST", body: image });
    const later = response.headers.get("retry-after");
    const text = await response.text();
    const status = response.status === 503 && later !== null ? "503 with Retry-After" : String(response.status);
    const label = response.ok ? (JSON.parse(text) as { label: string }[])[0].label : "";
    return { status, retry: Number(later ?? 0), label };
  } catch (error) {
    return {
      status: `failed: ${((error as Error).cause as { code?: string } | undefined)?.code ?? error}`,
      retry: 0,
      label: "",
    };
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** So many requests a second, whatever becomes of those before: a request that waits holds up no other. */
export async function atRate(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  rate: number,
  seconds: number,
): Promise<Seen> {
  const seen = new Seen();
  const start = performance.now();
  const running = new Set<Promise<void>>();
  for (let i = 0; i < rate * seconds; i++) {
    // From when it was due: a client that falls behind must not make the server look better.
    const due = start + (i * 1000) / rate;
    if (due > performance.now()) await sleep(due - performance.now());
    const request = send(url, image).then(({ status }) => seen.add(status, performance.now() - due));
    running.add(request);
    request.finally(() => running.delete(request)).catch(() => undefined);
  }
  await Promise.all(running);
  return seen;
}

/** So many clients that send one image after the other, and wait as they are told where the server is busy. */
export async function atOnce(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  clients: number,
  seconds: number,
): Promise<Seen> {
  const seen = new Seen();
  const end = performance.now() + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const begin = performance.now();
      const { status, retry } = await send(url, unseen(image));
      seen.add(status, performance.now() - begin);
      if (retry > 0) await sleep(retry * 1000);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return seen;
}

/** The top-1 label of an image, to see that both servers do the same work. */
export const labelOf = async (url: string, image: Uint8Array<ArrayBuffer>): Promise<string> =>
  (await send(url, image)).label;
