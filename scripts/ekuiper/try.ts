/** `npm run ekuiper -- test`: one image through the installed loop, with the time of each hop. */
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../lib/command.ts";
import type { EkuiperApi, RuleStatus } from "./api.ts";
import { Mailbox } from "./broker.ts";
import { type Loop, TOPICS } from "./parts.ts";
import { withoutCredentials } from "./printable.ts";
import type { Labeler } from "./service.ts";

export interface Hop {
  readonly what: string;
  /** Since the image was published, or how long it took, as `what` says. */
  readonly ms: number;
}

export interface Tried {
  readonly label: string;
  /** In order. */
  readonly hops: readonly Hop[];
  /** What the label came with, as the rule wrote it. */
  readonly message: string;
}

export interface TryOptions {
  readonly loop: Loop;
  readonly labeler: Labeler;
  /** As this machine reaches it. */
  readonly broker: string;
  readonly topic: string;
  readonly device: string;
  readonly image: Uint8Array;
  readonly seconds: number;
}

interface Row {
  readonly next: string;
  readonly id: string;
  readonly label: string;
  readonly error?: string;
}

/** No label came. The message says why, as far as anyone said it. */
export class NoLabel extends CommandError {
  override name = "NoLabel";

  constructor(message: string) {
    super(message, 1);
  }
}

/** The newest errors that eKuiper counted in the rule, a line each. */
function exceptions(status: RuleStatus): string[] {
  return Object.entries(status)
    .filter(([name, value]) => name.endsWith("_last_exception") && value)
    .map(([name, value]) => `${name.replace(/_last_exception$/, "")}: ${withoutCredentials(String(value))}`);
}

class Results {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor({ url, token }: Labeler, device: string) {
    this.#url = `${url}/results?device=${encodeURIComponent(device)}`;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async #get(query: string): Promise<Row[]> {
    const response = await fetch(this.#url + query, { headers: this.#headers, signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new NoLabel(`The labeler's GET /results is ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** The cursor behind the newest row. */
  async end(): Promise<string> {
    const [newest] = await this.#get("&order=newest&limit=1");
    return newest?.next ?? "0";
  }

  async firstSince(cursor: string): Promise<Row | undefined> {
    const [row] = await this.#get(`&since=${cursor}&limit=1`);
    return row;
  }
}

/** How long the labeler takes for the image when it is asked from here, in milliseconds. Warms it up, too. */
async function askDirectly({ url, token }: Labeler, image: Uint8Array): Promise<{ label: string; ms: number }> {
  const headers = { "content-type": "application/octet-stream", ...(token && { authorization: `Bearer ${token}` }) };
  const start = performance.now();
  const response = await fetch(`${url}/ekuiper/labelImage`, {
    method: "POST",
    body: new Uint8Array(image),
    headers,
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  const { label, error }: { label: string; error?: string } = await response.json();
  if (label === "") throw new NoLabel(`The labeler cannot label this image: ${error}`);
  return { label, ms: performance.now() - start };
}

/**
 * Publishes the image and waits for its label.
 * Other images may be on their way at the same time: a label that is not this image's is passed over.
 * @throws NoLabel
 */
export async function tryLoop(api: EkuiperApi, options: TryOptions): Promise<Tried> {
  const { loop, labeler, broker, topic, device, image, seconds } = options;
  const direct = await askDirectly(labeler, image).catch((error: unknown) => {
    if (error instanceof NoLabel) throw error;
    return undefined; // the labeler need not be reachable from here
  });
  const results = loop === "function" || direct === undefined ? undefined : new Results(labeler, device);
  const mailbox = await Mailbox.open(broker, loop === "sink" ? [] : [TOPICS.labels, TOPICS.errors]);
  try {
    const before = await results?.end();
    const hops: Hop[] = [];
    const start = performance.now();
    const hop = (what: string) => hops.push({ what, ms: performance.now() - start });
    await mailbox.publish(topic, image);
    hop(`the broker has it (${image.length} bytes on ${topic})`);

    if (loop === "function") {
      const message = await nextLabel(mailbox, { label: direct?.label }, seconds);
      if (message === undefined) throw new NoLabel(await why(api, "label", seconds, mailbox));
      hop(`its label is on ${TOPICS.labels}`);
      const call = callMs(await api.ruleStatus("label"));
      if (call !== undefined) hops.push({ what: "of these the gateway's call of the labeler", ms: call });
      return finish(hops, message, direct?.ms);
    }
    const back = `labels_${loop}ed`;
    if (results === undefined) {
      // Which label is this image's cannot be told then; the first will do.
      if (loop === "sink") throw new NoLabel("The labeler does not answer this machine: its results cannot be seen.");
      const message = await nextLabel(mailbox, {}, seconds);
      if (message === undefined) throw new NoLabel(await why(api, back, seconds, mailbox));
      hop(`a label is on ${TOPICS.labels}`);
      return finish(hops, message, undefined);
    }
    const row = await waitForRow(results, before ?? "0", seconds);
    if (row === undefined) throw new NoLabel(await why(api, "handover", seconds, mailbox));
    hop(`the labeler has labelled and kept it (GET /results/${row.id})`);
    if (row.label === "") throw new NoLabel(row.error ?? "It has no label.");
    if (loop === "sink") return finish(hops, JSON.stringify(row), direct?.ms);
    const message = await nextLabel(mailbox, { id: row.id }, seconds);
    if (message === undefined) throw new NoLabel(await why(api, back, seconds, mailbox));
    hop(`its label is on ${TOPICS.labels}`);
    return finish(hops, message, direct?.ms);
  } finally {
    await mailbox.close();
  }
}

function finish(hops: Hop[], message: string, directMs: number | undefined): Tried {
  if (directMs !== undefined) hops.push({ what: "for comparison: the labeler, asked from here", ms: directMs });
  const { label }: { label: string } = JSON.parse(message);
  return { label, hops, message };
}

/** How long the newest row of the rule was in its SELECT, where the function is called. */
function callMs(status: RuleStatus): number | undefined {
  const found = Object.entries(status).find(([name]) => /_project_0_process_latency_us$/.test(name))?.[1];
  return found === undefined ? undefined : Number(found) / 1000;
}

async function waitForRow(results: Results, since: string, seconds: number): Promise<Row | undefined> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    const row = await results.firstSince(since);
    if (row !== undefined) return row;
    await sleep(5);
  }
  return undefined;
}

/** The next message whose fields are those, as far as they are known. */
async function nextLabel(
  mailbox: Mailbox,
  wanted: { id?: string; label?: string | undefined },
  seconds: number,
): Promise<string | undefined> {
  const deadline = performance.now() + seconds * 1000;
  for (let left = seconds; left > 0; left = (deadline - performance.now()) / 1000) {
    const message = await mailbox.next(TOPICS.labels, left).catch(() => undefined);
    if (message === undefined) return undefined;
    const found: Record<string, unknown> = JSON.parse(message);
    if (Object.entries(wanted).every(([name, value]) => value === undefined || found[name] === value)) return message;
  }
  return undefined;
}

async function why(api: EkuiperApi, rule: string, seconds: number, mailbox?: Mailbox): Promise<string> {
  const found = await api.ruleStatus(rule).then(exceptions, (error: Error) => [error.message]);
  if (mailbox !== undefined && mailbox.waiting(TOPICS.errors) > 0) found.push(await mailbox.next(TOPICS.errors));
  const known =
    found.length > 0 ? found.join("\n  ") : "eKuiper counts no error. Does the gateway use the same broker?";
  return `No label within ${seconds} s. Rule ${rule} says:\n  ${known}`;
}
