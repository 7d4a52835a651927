/** A gateway under measurement: the engine with what a contender brings to it, and the processes that this costs. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, startEngine } from "../../ekuiper-engine/engine.ts";
import { type RunningRelay, startRelay } from "../../ekuiper-engine/relay.ts";
import { cpuMs, processTree, proportionalMB, residentMB } from "../../system/processes.ts";
import { EkuiperApi, type Rule } from "../../user/ekuiper/api.ts";
import { type Broker, Mailbox } from "../../user/ekuiper/broker.ts";
import { installPlugin } from "../../user/ekuiper/plugin-zip.ts";
import { installService, installStream } from "../../user/ekuiper/service.ts";
import type { Pyai } from "./pyai.ts";

export const LABELS = "ekuiper/labels";

/** What is compared. `none` takes the images in and labels none: what the gateway needs anyway. */
export const CONTENDERS = {
  none: "eKuiper alone, no label",
  pyai: "pyai, the tutorial's plugin",
  plugin: "our plugin",
  service: "our service",
  exact: "our service, precision exact",
  relay: "our sink through nginx",
} as const;
export type Contender = keyof typeof CONTENDERS;

const TUTORIAL_SQL = "SELECT labelImage(self)[0]->label as label FROM tfdemo";
const SERVICE_SQL =
  "SELECT labelImage(self) as answer INVISIBLE, answer->label as label, answer->error as error FROM tfdemo";
const SQL: Record<Exclude<Contender, "relay">, string> = {
  none: `SELECT "none" as label FROM tfdemo`,
  pyai: TUTORIAL_SQL,
  plugin: TUTORIAL_SQL,
  service: SERVICE_SQL,
  exact: SERVICE_SQL,
};

export interface Parts {
  readonly broker: Broker;
  readonly labeler: string;
  /** The same labeler with the same model in its exact arithmetic. */
  readonly exact: string;
  readonly pyai: Pyai;
  readonly python: string;
}

export interface Memory {
  /** Resident memory of all processes, in MB. */
  readonly rss: number;
  /** The same with pages that processes share counted once. */
  readonly pss: number;
}

export class Gateway {
  private constructor(
    readonly contender: Contender,
    readonly engine: Engine,
    readonly api: EkuiperApi,
    readonly mailbox: Mailbox,
    readonly nginx: RunningRelay | undefined,
  ) {}

  static async start(contender: Contender, { broker, labeler, exact, pyai, python }: Parts): Promise<Gateway> {
    const pythonBin = contender === "pyai" ? pyai.python : python;
    const engine = await startEngine({
      broker: broker.url,
      environment: { KUIPER__PORTABLE__PYTHONBIN: pythonBin, KUIPER__BASIC__LOGLEVEL: "warn" },
    });
    const api = new EkuiperApi(engine.url);
    const nginx = contender === "relay" ? await startRelay(labeler) : undefined;
    const mailbox = await Mailbox.open(broker.url, [LABELS]);
    const gateway = new Gateway(contender, engine, api, mailbox, nginx);
    try {
      if (contender === "pyai") await installZip(api, "pyai", pyai.zip);
      if (contender === "plugin") await installPlugin(api, { url: labeler });
      if (contender === "service") await installService(api, { url: labeler });
      if (contender === "exact") await installService(api, { url: exact });
      await installStream(api);
      const subscribed = broker.nextSubscriber("tfdemo");
      await api.putRule(await gateway.#rule(broker.url));
      await subscribed;
    } catch (error) {
      await gateway.stop();
      throw error;
    }
    return gateway;
  }

  async #rule(server: string): Promise<Rule> {
    if (this.contender !== "relay") {
      const actions = [{ mqtt: { server, topic: LABELS, sendSingle: true } }];
      return { id: "bench", sql: SQL[this.contender], actions };
    }
    const rule: Rule = JSON.parse(readFileSync("ekuiper/rules/handover.json", "utf8"));
    for (const { rest } of rule.actions) if (rest !== undefined) rest.url = `${this.nginx?.url}/ekuiper/sink`;
    return { ...rule, id: "bench", triggered: true };
  }

  /** The engine, what it started and their children, and nginx. */
  processes(): number[] {
    const found = processTree(this.engine.pid());
    return this.nginx === undefined ? found : [...found, this.nginx.pid];
  }

  /** Processor time of all of them so far, in ms. */
  cpu(): number {
    return this.processes().reduce((sum, pid) => sum + cpuMs(pid), 0);
  }

  memory(): Memory {
    const pids = this.processes();
    return {
      rss: pids.reduce((sum, pid) => sum + residentMB(pid), 0),
      pss: pids.reduce((sum, pid) => sum + proportionalMB(pid), 0),
    };
  }

  /** The most memory that any one process ever had, in MB. */
  peak(): number {
    const peaks = this.processes().map(
      (pid) => /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1],
    );
    return Math.max(...peaks.map(Number)) / 1024;
  }

  /** How many rows of the rule failed. */
  async exceptions(): Promise<{ count: number; last: string }> {
    const status = Object.entries(await this.api.ruleStatus("bench"));
    const of = (suffix: string) => status.filter(([name]) => /^op_\d+_project/.test(name) && name.endsWith(suffix));
    return {
      count: of("exceptions_total").reduce((sum, [, value]) => sum + Number(value), 0),
      last: of("last_exception")
        .map(([, value]) => String(value))
        .join(" ")
        .trim(),
    };
  }

  async stop(): Promise<void> {
    await this.mailbox.close();
    await this.engine.stop();
    await this.nginx?.stop();
    await sleep(300); // plugins notice that their engine is gone
  }
}

async function installZip(api: EkuiperApi, name: string, zip: Uint8Array): Promise<void> {
  const file = await api.upload(`${name}.zip`, zip);
  const response = await fetch(`${api.base}/plugins/portables`, {
    method: "POST",
    body: JSON.stringify({ name, file }),
  });
  if (!response.ok) throw new Error(`eKuiper refused ${name}: ${await response.text()}`);
}
