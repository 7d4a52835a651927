/** Observes what a gateway's own rule did with an image: other gateways may process it, too, from the same broker. */
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../../command-line/command.ts";
import type { EkuiperApi } from "./api.ts";
import { type RuleCounters, readCounters } from "./rule-counters.ts";
import { isRunning } from "./state.ts";

/** Thrown if no label came. The message gives the reason, if anyone has reported one. */
export class NoLabel extends CommandError {
  override name = "NoLabel";

  constructor(message: string) {
    super(message, 1);
  }
}

const statusOf = async (api: EkuiperApi, rule: string) =>
  (await api.rules()).find(({ id }) => id === rule)?.status ?? "not there";

const NOTHING: RuleCounters = readCounters({});

export class OwnRule {
  readonly #api: EkuiperApi;
  readonly id: string;
  readonly #before: RuleCounters;

  private constructor(api: EkuiperApi, id: string, before: RuleCounters) {
    this.#api = api;
    this.id = id;
    this.#before = before;
  }

  /**
   * Reads the rule's counters before the image is sent.
   *
   * @throws NoLabel if the rule does not run: no label could come.
   */
  static async watch(api: EkuiperApi, id: string): Promise<OwnRule> {
    const status = await statusOf(api, id);
    if (!isRunning({ status })) {
      throw new NoLabel(`Rule ${id} is ${status}. Start it: curl -X POST ${api.base}/rules/${id}/start`);
    }
    return new OwnRule(api, id, readCounters(await api.ruleStatus(id)));
  }

  /** The increase of its counters since then. */
  async since(): Promise<Pick<RuleCounters, "rowsIn" | "rowsOut" | "errors" | "lastErrors" | "offline">> {
    const now = readCounters(await this.#api.ruleStatus(this.id).catch(() => ({})));
    // A rule that was restarted counts from zero.
    const { rowsIn, rowsOut, errors } = now.rowsIn < this.#before.rowsIn ? NOTHING : this.#before;
    return {
      rowsIn: now.rowsIn - rowsIn,
      rowsOut: now.rowsOut - rowsOut,
      errors: now.errors - errors,
      lastErrors: now.lastErrors,
      offline: now.offline,
    };
  }

  /** Waits for the rule to put out a row. @returns Whether it did before the deadline, a time of performance.now(). */
  async hasPut(deadline: number): Promise<boolean> {
    while ((await this.since()).rowsOut === 0) {
      if (performance.now() > deadline) return false;
      await sleep(20);
    }
    return true;
  }

  /** Why this rule put out no label, as far as eKuiper reports it. */
  async explain(topic: string): Promise<string> {
    const { rowsIn, errors, lastErrors, offline } = await this.since();
    const status = await statusOf(this.#api, this.id);
    if (!isRunning({ status })) return `Rule ${this.id} is ${status}.`;
    if (offline !== undefined) return `Rule ${this.id}: ${offline.place} is not connected: ${offline.why}.`;
    if (errors > 0) {
      const texts = lastErrors.map(({ place, text }) => `\n  ${place}: ${text}`);
      return `Rule ${this.id} has had ${errors} errors meanwhile, the last:${texts.join("")}`;
    }
    if (rowsIn === 0) {
      return `No image came to rule ${this.id}. Does the gateway listen to ${topic}, and at this broker?`;
    }
    return `Rule ${this.id} has taken in ${rowsIn} rows, and eKuiper counts no error.`;
  }
}
