/** What each loop needs on the gateway: the ways in which rules use the labeler, and the parts of ekuiper/ for them. */
import type { Rule } from "./api.ts";
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

/** `function` asks and waits; the others hand images over: `sink` and no more, `pull` and `push` get the labels back. */
export const LOOPS = ["function", "sink", "pull", "push"] as const;
export type Loop = (typeof LOOPS)[number];

export interface Wanted {
  readonly loop: Loop;
  readonly labeler: Labeler;
  /** As the gateway reaches it, for example tcp://127.0.0.1:1883 or tcp://USER:PASSWORD@HOST:1883. */
  readonly broker: string;
  /** The MQTT topic of the images. */
  readonly topic: string;
  /** What this gateway is called in the results. */
  readonly device: string;
}

export interface Parts {
  readonly service: ServiceDefinition;
  /** Streams and tables. */
  readonly sources: readonly SourceDefinition[];
  readonly rules: readonly Rule[];
}

/** Those that bring labels come before those that hand images over. */
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

/** The SQL functions of the service. */
export const FUNCTIONS = ["labelImage", "labelText", "labelOf"] as const;

/** The MQTT topics of the shipped rules and stream. */
export const TOPICS = { images: "tfdemo", labels: "ekuiper/labels", errors: "ekuiper/errors" } as const;

/** Where the labeler posts results to on the gateway, behind its host and port of httppush. */
export const PUSH_PATH = "/labeler/results";

/** What marks a stream, table or rule as this product's, so that a user's own of the same name is left alone. */
export const MARK = "edge-labeler";
export const isOurRule = (rule: Rule) => rule.tags?.includes(MARK) === true;
export const isOurSource = (source: SourceDefinition) => source.extra.installedBy === MARK;

async function sourcesOf({ loop, labeler, broker, topic, device }: Wanted): Promise<SourceDefinition[]> {
  const sources = [await imageStream(broker, topic)];
  if (loop === "pull") {
    sources.push(await pulledStream(labeler, device), await shippedSource("tables", "labels"));
  }
  if (loop === "push") sources.push(await shippedSource("streams", "labeler_pushed"));
  return sources;
}

/** All that a loop needs. The service is there in each, for rules of the user's own. */
export async function partsOf(wanted: Wanted): Promise<Parts> {
  const { loop, broker, labeler, device } = wanted;
  const [service, sources, rules] = await Promise.all([
    serviceDefinition(labeler),
    sourcesOf(wanted),
    Promise.all(RULES[loop].map((id) => shippedRule(id, broker, labeler, device))),
  ]);
  return { service, sources, rules };
}

/** The loop whose rules these are. */
export function loopOf(ids: readonly string[]): Loop | undefined {
  return LOOPS.toReversed().find((loop) => RULES[loop].every((id) => ids.includes(id)));
}
