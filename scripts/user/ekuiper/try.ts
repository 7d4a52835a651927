/** `npm run ekuiper -- test`: sends one image through the installed loop, and measures each hop. */
import type { EkuiperApi, RuleStatus } from "./api.ts";
import { type LabelerCall, post } from "./as-rule.ts";
import { Mailbox } from "./broker.ts";
import { KeptResults, type Labelled, ResultsRefused } from "./kept-results.ts";
import { NoLabel, OwnRule } from "./own-rule.ts";
import { type Loop, TOPICS } from "./parts.ts";
import type { Labeler } from "./service.ts";

export interface Hop {
  readonly what: string;
  /** Milliseconds since the image was published, or the duration, as `what` says. */
  readonly ms: number;
}

export interface Tried {
  readonly label: string;
  /** In order. */
  readonly hops: readonly Hop[];
  /** The message that brought the label, as the rule wrote it. */
  readonly message: string;
}

export interface TryOptions {
  readonly loop: Loop;
  /** The address from which this machine reaches it. */
  readonly labeler: Labeler;
  /** The call that the loop's rule makes, as this machine can make it; with `id`, that of a submission. */
  readonly call: LabelerCall & { readonly id?: string };
  /** The address from which this machine reaches it. */
  readonly broker: string;
  readonly topic: string;
  readonly device: string;
  readonly image: Uint8Array;
  readonly seconds: number;
}

interface Found extends Labelled {
  readonly error?: string;
  readonly model?: string;
  readonly regions?: readonly { readonly name: string }[];
}

/** Why an answer has no label to follow through the loop. */
function whyNoLabel({ error, model, regions }: Found): string {
  if (error) return `The labeler cannot label this image: ${error}`;
  if (regions === undefined || regions.length === 0) return "No label of this image is as sure as the model asks for.";
  const names = regions.map(({ name }) => name).join(", ");
  return (
    `The labeler's default model, ${model}, labels the regions ${names}, and the shipped rule asks for one label of the ` +
    "whole picture.\n→ Use it in a rule of your own: labelImage(self)->regions[0]->label. Or start the labeler with another DEFAULT_MODEL."
  );
}

/**
 * Makes the labeler label the image as the rule would, from here, to learn the label or why there is none. This also
 * loads the model.
 *
 * @returns Undefined if this machine does not reach the labeler; the gateway may still reach it.
 * @throws NoLabel if the labeler refuses the call, or cannot label the image.
 */
async function askDirectly({
  call,
  labeler,
  image,
  device,
}: TryOptions): Promise<(Labelled & { ms: number }) | undefined> {
  const answer = await post(call, image);
  if (answer.kind === "unreachable") return undefined;
  if (answer.kind === "refused") throw new NoLabel(`The labeler refuses the call of ${call.name}: ${answer.reason}`);
  const found: Found =
    call.id === undefined ? JSON.parse(answer.body) : await new KeptResults(labeler, device).get(call.id);
  if (found.label === "") throw new NoLabel(whyNoLabel(found));
  return { label: found.label, confidence: found.confidence, ms: answer.ms };
}

/** The fields of a message; undefined if it is not an object: rules of the user's may publish on the topic, too. */
function fieldsOf(message: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Receives labels one after the other. */
class Labels {
  readonly #mailbox: Mailbox;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** The next matching message; undefined if none comes before the deadline, a time of performance.now(). */
  async next(fits: (message: Record<string, unknown>) => boolean, deadline: number): Promise<string | undefined> {
    for (let left = deadline - performance.now(); left > 0; left = deadline - performance.now()) {
      const message = await this.#mailbox.next(TOPICS.labels, left / 1000).catch(() => undefined);
      if (message === undefined) return undefined;
      const fields = fieldsOf(message);
      if (fields !== undefined && fits(fields)) return message;
    }
    return undefined;
  }

  get waiting(): number {
    return this.#mailbox.waiting(TOPICS.labels);
  }
}

/**
 * Publishes the image and waits for its label. Other images may be in progress at the same time, and other gateways may
 * label this one: messages that belong to another image or another gateway are skipped.
 *
 * @throws NoLabel
 * @throws CommandError if the broker does not answer.
 */
export async function tryLoop(api: EkuiperApi, options: TryOptions): Promise<Tried> {
  const { loop, broker, topic, image } = options;
  const direct = await askDirectly(options).catch((error: unknown) => {
    if (error instanceof ResultsRefused) throw new NoLabel(error.message);
    throw error;
  });
  const mailbox = await Mailbox.open(broker, loop === "sink" ? [] : [TOPICS.labels]);
  try {
    const attempt = await begin(api, options);
    await mailbox.publish(topic, image);
    attempt.hop(`the broker has it (${image.length} bytes on ${topic})`);
    const labels = new Labels(mailbox);
    const message = direct === undefined ? await anyLabel(attempt, labels) : await sameLabel(attempt, labels, direct);
    if (loop === "function") {
      const ms = callMs(await api.ruleStatus("label"));
      if (ms !== undefined) attempt.hops.push({ what: "of these the gateway's call of the labeler", ms });
    }
    if (direct !== undefined)
      attempt.hops.push({ what: "for comparison: the labeler, asked from here", ms: direct.ms });
    const { label }: { label: string } = JSON.parse(message);
    return { label, hops: attempt.hops, message };
  } finally {
    await mailbox.close();
  }
}

interface Attempt extends TryOptions {
  /** The rule that receives the image. */
  readonly taker: OwnRule;
  /** The rule that puts out the label. */
  readonly giver: OwnRule;
  /** The cursor of the results before the image was sent. */
  readonly cursor: string | undefined;
  readonly hops: Hop[];
  hop(what: string): void;
  /** A time of performance.now(). */
  readonly deadline: number;
}

async function begin(api: EkuiperApi, options: TryOptions): Promise<Attempt> {
  const { loop, labeler, device, seconds } = options;
  const taker = await OwnRule.watch(api, loop === "function" ? "label" : "handover");
  const giver = loop === "pull" || loop === "push" ? await OwnRule.watch(api, `labels_${loop}ed`) : taker;
  const cursor =
    loop === "function"
      ? undefined
      : await new KeptResults(labeler, device).end().catch((error: unknown) => {
          if (error instanceof ResultsRefused) throw new NoLabel(error.message);
          return undefined;
        });
  const hops: Hop[] = [];
  const start = performance.now();
  return {
    ...options,
    taker,
    giver,
    cursor,
    hops,
    hop: (what) => hops.push({ what, ms: performance.now() - start }),
    deadline: start + seconds * 1000,
  };
}

const none = async ({ seconds, topic }: Attempt, rule: OwnRule, more = ""): Promise<NoLabel> =>
  new NoLabel(`No label within ${seconds} s.${more} ${await rule.explain(topic)}`);

/** Waits for the known label of this image from this gateway's rule. */
async function sameLabel(attempt: Attempt, labels: Labels, direct: Labelled): Promise<string> {
  const { loop, labeler, device, cursor, taker, giver, deadline, hop } = attempt;
  if (loop === "function") {
    const message = await labels.next((found) => found.label === direct.label, deadline);
    if (message === undefined) throw await none(attempt, taker);
    await requireOwn(attempt, taker);
    hop(`its label is on ${TOPICS.labels}`);
    return message;
  }
  const { row, others } = await new KeptResults(labeler, device).wait(cursor ?? "0", direct, deadline);
  const more =
    others === 0 ? "" : ` The labeler has kept ${others} results of ${device} meanwhile, but not this image's.`;
  if (row === undefined) throw await none(attempt, taker, more);
  await requireOwn(attempt, taker);
  hop(`the labeler has labelled and kept it (GET /results/${row.id})`);
  if (loop === "sink") return JSON.stringify(row);
  const message = await labels.next(({ id }) => id === row.id, deadline);
  if (message === undefined) throw await none(attempt, giver);
  await requireOwn(attempt, giver);
  hop(`its label is on ${TOPICS.labels}`);
  return message;
}

/** Waits for a label if the labeler cannot be asked: the label belongs to this image if there was no other. */
async function anyLabel(attempt: Attempt, labels: Labels): Promise<string> {
  const { loop, device, taker, giver, deadline, hop } = attempt;
  const unseen = "This machine does not reach the labeler";
  if (loop === "sink") throw new NoLabel(`${unseen}, and does not see its results. Give its address: --labeler URL`);
  const isOwn = (message: Record<string, unknown>) => loop === "function" || message.device === device;
  const message = await labels.next(isOwn, deadline);
  if (message === undefined) throw await none(attempt, giver);
  await requireOwn(attempt, giver);
  const { rowsIn } = await taker.since();
  if (rowsIn > 1 || labels.waiting > 0) {
    throw new NoLabel(
      `${unseen}, and other images came at the same time: which label is this image's cannot be told. Give the labeler's address from here: --labeler URL`,
    );
  }
  hop(`its label is on ${TOPICS.labels}`);
  return message;
}

/** @throws NoLabel if a label came, but not from this gateway's rule. */
async function requireOwn(attempt: Attempt, rule: OwnRule): Promise<void> {
  if (await rule.hasPut(attempt.deadline)) return;
  throw new NoLabel(
    `A label of this image came, but not from this gateway: another one takes images from ${attempt.topic}, too. ${await rule.explain(attempt.topic)}`,
  );
}

/** How long the rule's newest row was in its SELECT, where the function is called. */
function callMs(status: RuleStatus): number | undefined {
  const found = Object.entries(status).find(([name]) => /_project_0_process_latency_us$/.test(name))?.[1];
  return found === undefined ? undefined : Number(found) / 1000;
}
