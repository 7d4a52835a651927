/**
 * Defines what each loop needs on the gateway: the ways in which rules use the labeler, and the parts of ekuiper/ for
 * them.
 */
import type { Rule } from "./api.ts";
import { type ConfigurationKey, type Dialect, ruleIn, sourceIn } from "./dialect.ts";
import type { MqttOptions } from "./mqtt-options.ts";
import {
  imageStream,
  type Labeler,
  pulledStream,
  type ServiceDefinition,
  serviceDefinition,
  shippedRule,
  shippedSource,
} from "./service.ts";
import type { SourceDefinition } from "./source-sql.ts";
import type { SqlFunction } from "./sql-function.ts";

/**
 * `function` calls and waits; the others submit images: `sink` does only that, `pull` and `push` also return the
 * labels.
 */
export const LOOPS = ["function", "sink", "pull", "push"] as const;
export type Loop = (typeof LOOPS)[number];

export interface Wanted {
  readonly loop: Loop;
  readonly labeler: Labeler;
  /** The address as the gateway reaches it, for example tcp://127.0.0.1:1883 or tcp://USER:PASSWORD@HOST:1883. */
  readonly broker: string;
  /** The MQTT topic of the images. */
  readonly topic: string;
  /** The name of this gateway in the results. */
  readonly device: string;
  readonly mqtt: MqttOptions;
  /** SQL functions of the user's. */
  readonly functions: readonly SqlFunction[];
}

export interface Parts {
  readonly service: ServiceDefinition;
  /** The settings of streams and tables, if they cannot be in the streams and tables themselves. */
  readonly keys: readonly ConfigurationKey[];
  /** Streams and tables. */
  readonly sources: readonly SourceDefinition[];
  readonly rules: readonly Rule[];
}

/** Rules that receive labels come before those that submit images. */
const RULES: Readonly<Record<Loop, readonly string[]>> = {
  function: ["label"],
  sink: ["handover"],
  pull: ["labels_pulled", "labels_table", "handover"],
  push: ["labels_pushed", "handover"],
};

/** Every name that this product gives to something on a gateway. */
export const STREAMS = ["tfdemo", "labeler_pulled", "labeler_pushed"] as const;
export const TABLES = ["labels"] as const;
export const RULE_IDS = [...new Set(Object.values(RULES).flat())];

/** The MQTT topics of the shipped rules and stream. */
export const TOPICS = { images: "tfdemo", labels: "ekuiper/labels", errors: "ekuiper/errors" } as const;

/** The path to which the labeler posts results on the gateway, behind the host and port of httppush. */
export const PUSH_PATH = "/labeler/results";

async function sourcesOf({ loop, labeler, broker, topic, device, mqtt }: Wanted): Promise<SourceDefinition[]> {
  const sources = [await imageStream(broker, topic, mqtt)];
  if (loop === "pull") {
    sources.push(await pulledStream(labeler, device), await shippedSource("tables", "labels"));
  }
  if (loop === "push") sources.push(await shippedSource("streams", "labeler_pushed"));
  return sources;
}

/**
 * All parts of a loop, in the form that the gateway's eKuiper accepts. Each loop includes the service, for the user's
 * own rules.
 */
export async function partsOf(wanted: Wanted, dialect: Dialect): Promise<Parts> {
  const { loop, broker, labeler, device, functions, mqtt } = wanted;
  const [service, sources, rules] = await Promise.all([
    serviceDefinition(labeler, functions),
    sourcesOf(wanted),
    Promise.all(RULES[loop].map((id) => shippedRule(id, broker, labeler, device, mqtt))),
  ]);
  const written = sources.map((source) => sourceIn(dialect, source));
  return {
    service,
    keys: written.flatMap(({ key }) => key ?? []),
    sources: written.map(({ source }) => source),
    rules: rules.map((rule) => ruleIn(dialect, rule)),
  };
}

/**
 * The loop to which these rules belong. One rule is enough to recognise it, so that a loop of which something was
 * deleted is still that loop; `handover` alone means sink.
 */
export function loopOf(ids: readonly string[]): Loop | undefined {
  const has = (loop: Loop, besides?: string) => RULES[loop].some((id) => id !== besides && ids.includes(id));
  return LOOPS.find((loop) => has(loop, "handover")) ?? (has("sink") ? "sink" : undefined);
}
