/** What ekuiper/ ships, made ready for one gateway: the service zip with its address and token, the stream, the rules. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { zipSync } from "fflate";
import type { EkuiperApi, Rule } from "./api.ts";

const shipped = (name: string) => readFile(new URL(`../../ekuiper/${name}`, import.meta.url), "utf8");

/** The labeler as eKuiper shall call it. */
export interface Labeler {
  /** Its address, for example http://192.168.1.20:8787, as seen from the gateway. */
  url: string;
  /** Its LABELER_TOKEN, if it asks for one. */
  token?: string;
}

interface ServiceDefinition {
  interfaces: Record<string, { address: string; options: { headers: Record<string, string> } }>;
}

/**
 * The zip that eKuiper installs as service `labeler`.
 * The interface is named after its definition: eKuiper keeps one caller per interface name until it is restarted, so that
 * under the same name an old address or token would stay in use.
 */
export async function serviceZip({ url, token }: Labeler): Promise<Uint8Array> {
  const definition: ServiceDefinition = JSON.parse(await shipped("service/labeler.json"));
  const proto = await shipped("service/schemas/labeler.proto");
  const service = definition.interfaces.labeler;
  if (service === undefined) throw new Error("ekuiper/service/labeler.json has no interface named labeler");
  service.address = `${url.replace(/\/+$/, "")}/ekuiper`;
  if (token !== undefined) service.options.headers.Authorization = `Bearer ${token}`;
  const hash = createHash("sha256")
    .update(JSON.stringify([service, proto]))
    .digest("hex")
    .slice(0, 12);
  definition.interfaces = { [`labeler_${hash}`]: service };
  const bytes = (text: string) => new TextEncoder().encode(text);
  // eKuiper unpacks a file only into a folder that has an entry of its own.
  return zipSync({
    "labeler.json": bytes(JSON.stringify(definition, null, 2)),
    "schemas/": new Uint8Array(0),
    "schemas/labeler.proto": bytes(proto),
  });
}

/** Installs the labeler's functions labelImage and labelText, or points them to another labeler. */
export async function installService(api: EkuiperApi, labeler: Labeler): Promise<void> {
  await api.putService("labeler", await api.upload("labeler.zip", await serviceZip(labeler)));
}

/** Creates the shipped stream `tfdemo` of binary MQTT messages. */
export async function installStream(api: EkuiperApi): Promise<void> {
  const { sql }: { sql: string } = JSON.parse(await shipped("streams/tfdemo.json"));
  await api.putStream("tfdemo", sql);
}

/** A rule of ekuiper/rules/ with its MQTT sinks pointed to the broker. */
export async function shippedRule(name: string, broker: string): Promise<Rule> {
  const rule: Rule = JSON.parse(await shipped(`rules/${name}.json`));
  for (const { mqtt } of rule.actions) if (mqtt !== undefined) mqtt.server = broker;
  return rule;
}
