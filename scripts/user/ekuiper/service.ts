/**
 * Fills what ekuiper/ ships with the values of one gateway: addresses, token and device name instead of those in the
 * files.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { zipSync } from "fflate";
import type { EkuiperApi, Rule, SourceKind } from "./api.ts";
import { dialectOf, sourceIn } from "./dialect.ts";
import { type MqttOptions, sinkSettings, streamOptions, streamSettings } from "./mqtt-options.ts";
import { regionsSchema } from "./regions-schema.ts";
import { type SourceDefinition, sourceSql } from "./source-sql.ts";
import { pathOf, QUERY_HEADER, REGIONS_HEADER, type SqlFunction } from "./sql-function.ts";

const shipped = (name: string) => readFile(new URL(`../../../ekuiper/${name}`, import.meta.url), "utf8");

/** The name of the service in eKuiper, and of its zip. */
export const SERVICE = "labeler";
export const ZIP = "labeler_service.zip"; // The plugin is uploaded as labeler.zip.

/** The labeler as eKuiper should call it. */
export interface Labeler {
  /** Its address from the gateway, for example http://192.168.1.20:8787. */
  url: string;
  /** Its LABELER_TOKEN, if it requires one. */
  token?: string | undefined;
}

interface Interface {
  address: string;
  schemaFile: string;
  /** Other names for the functions of the schema. */
  functions?: { name: string; serviceName: string }[];
  options: { headers: Record<string, string> };
}

interface Definition {
  about: { helpUrl: { en_US: string } };
  interfaces: Record<string, Interface>;
}

export interface ServiceDefinition {
  /** The names of its interfaces: one for the shipped functions, and one for each of the user's. */
  interfaces: readonly string[];
  functions: readonly SqlFunction[];
  zip: Uint8Array;
}

const withoutSlash = (url: string) => url.replace(/\/+$/, "");
const bearer = (token: string | undefined) => (token === undefined ? {} : { Authorization: `Bearer ${token}` });

/** The schema of the shipped functions, and the name for that of a user's function. */
const SCHEMA = "labeler.proto";
const FUNCTION_SCHEMA = "labeler_function.proto";

/**
 * The text of a schema. The schema of a user's function is the shipped one with labelImage() alone: an interface has
 * all functions of its schema.
 */
async function schemaText(file: string): Promise<string> {
  const text = await shipped(`service/schemas/${SCHEMA}`);
  if (file === SCHEMA) return text;
  // eKuiper finds messages by the names of their packages.
  const renamed = text.replace("package labeler;", "package labeler_function;");
  return renamed.replaceAll(/(^ *\/\/.*\n)?^ *rpc (?!labelImage\().*\n/gm, "");
}

/** An interface whose only function is labelImage() under another name, with its parameters in a header. */
function interfaceOf(own: SqlFunction, service: Interface): Interface {
  const { name, query, regions } = own;
  const noted = regions && { [REGIONS_HEADER]: regions.join(",") };
  const headers = { ...service.options.headers, [QUERY_HEADER]: query, ...noted };
  const functions = [{ name, serviceName: pathOf(own) }];
  const schemaFile = regions === undefined ? FUNCTION_SCHEMA : `labeler_${name}.proto`;
  return { ...service, schemaFile, functions, options: { ...service.options, headers } };
}

/** The texts of the schemas by their files. A function whose model has regions has a schema of its own. */
async function schemasOf(files: readonly string[], functions: readonly SqlFunction[]): Promise<Map<string, string>> {
  const schemas = new Map<string, string>();
  for (const { name, regions } of functions) {
    if (regions !== undefined) schemas.set(`labeler_${name}.proto`, regionsSchema(name, regions));
  }
  for (const file of files) if (!schemas.has(file)) schemas.set(file, await schemaText(file));
  return schemas;
}

/**
 * The service `labeler`. An interface's name is derived from its definition: eKuiper keeps one caller for each
 * interface name until it is restarted, so that an old address or token would stay in use under the same name.
 *
 * @param functions The user's functions, besides those that are shipped.
 */
export async function serviceDefinition(
  { url, token }: Labeler,
  functions: readonly SqlFunction[] = [],
): Promise<ServiceDefinition> {
  const definition: Definition = JSON.parse(await shipped("service/labeler.json"));
  definition.about.helpUrl.en_US = `${withoutSlash(url)}/docs`;
  const [service] = Object.values(definition.interfaces);
  if (service === undefined) throw new Error("ekuiper/service/labeler.json has no interface");
  service.address = `${withoutSlash(url)}/ekuiper`;
  Object.assign(service.options.headers, bearer(token));
  const all = [service, ...functions.map((own) => interfaceOf(own, service))];
  const bytes = (text: string) => new TextEncoder().encode(text);
  const files = all.map(({ schemaFile }) => schemaFile);
  const schemas = await schemasOf(files, functions);
  const named = all.map((one) => {
    const hash = createHash("sha256").update(JSON.stringify([one, schemas.get(one.schemaFile)]));
    return [`labeler_${hash.digest("hex").slice(0, 12)}`, one] as const;
  });
  definition.interfaces = Object.fromEntries(named);
  const zip = zipSync({
    "labeler.json": bytes(JSON.stringify(definition, null, 2)),
    // eKuiper unpacks a file only into a folder that has an entry of its own.
    "schemas/": new Uint8Array(0),
    ...Object.fromEntries([...schemas].map(([file, text]) => [`schemas/${file}`, bytes(text)])),
  });
  return { interfaces: named.map(([name]) => name), functions, zip };
}

/**
 * A broker's address in the form of eKuiper's MQTT sources and sinks. User and password come from the address alone.
 */
export function brokerSettings(address: string): Record<string, string> {
  const url = new URL(address);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  return {
    server: url.href.replace(/\/$/, ""),
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
  };
}

/** The address from which such settings were made. */
export function brokerAddress({ server, username, password }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof server !== "string") return undefined;
  const url = new URL(server);
  if (typeof username === "string") url.username = encodeURIComponent(username);
  if (typeof password === "string") url.password = encodeURIComponent(password);
  return url.href.replace(/\/$/, "");
}

/** A stream or table of ekuiper/, as in its file. */
export async function shippedSource(kind: SourceKind, name: string): Promise<SourceDefinition> {
  const { sql }: { sql: string } = JSON.parse(await shipped(`${kind}/${name}.json`));
  return sourceSql.parse(sql);
}

/**
 * The address to which images are submitted. Its templates stay: eKuiper fills them for each row, on most releases only
 * in the URL, and only `urlquery` escapes them as parameters.
 */
function sinkUrl(shippedUrl: string, labelerUrl: string, device?: string): string {
  const url = shippedUrl.replace(/^https?:\/\/[^/]+/, withoutSlash(labelerUrl));
  return device === undefined ? url : url.replace(/device=[^&]*$/, `device=${encodeURIComponent(device)}`);
}

/** The device in a rule's submissions; older releases of this product put it into a header. */
export function deviceOf(rest: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const query = /\?.*$/.exec(String(rest?.url ?? ""))?.[0] ?? "";
  const headers = rest?.headers as Record<string, string> | undefined;
  return new URLSearchParams(query).get("device") ?? headers?.["X-Device"];
}

/**
 * A rule of ekuiper/rules/ for one gateway: its MQTT sinks have the broker's address, its REST sinks the labeler's, and
 * it has the gateway's device.
 */
export async function shippedRule(
  name: string,
  broker: string,
  labeler?: Labeler,
  device?: string,
  options: MqttOptions = {},
): Promise<Rule> {
  const rule: Rule = JSON.parse(await shipped(`rules/${name}.json`));
  if (device !== undefined) rule.sql = rule.sql.replace(/ WHERE device = ".*"$/, ` WHERE device = "${device}"`);
  for (const { mqtt, rest } of rule.actions) {
    if (mqtt !== undefined) Object.assign(mqtt, brokerSettings(broker), sinkSettings(options, rule.id));
    if (rest === undefined || labeler === undefined) continue;
    rest.url = sinkUrl(String(rest.url), labeler.url, device);
    rest.headers = { ...(rest.headers as Record<string, string>), ...bearer(labeler.token) };
  }
  return rule;
}

/** The shipped image stream, with its broker. Without one, eKuiper uses that of its etc/mqtt_source.yaml. */
export async function imageStream(
  broker?: string,
  topic?: string,
  options: MqttOptions = {},
): Promise<SourceDefinition> {
  const stream = await shippedSource("streams", "tfdemo");
  const { server: _, ...extra } = stream.extra;
  return {
    ...stream,
    options: { ...stream.options, ...(topic !== undefined && { DATASOURCE: topic }), ...streamOptions(options) },
    extra: { ...(broker !== undefined && brokerSettings(broker)), ...streamSettings(options), ...extra },
  };
}

/** The stream that pulls the results of images that this device submitted. */
export async function pulledStream(labeler: Labeler, device: string): Promise<SourceDefinition> {
  const stream = await shippedSource("streams", "labeler_pulled");
  const headers = { ...(stream.extra.headers as Record<string, string>), ...bearer(labeler.token) };
  const path = stream.options.DATASOURCE ?? "";
  return {
    ...stream,
    options: { ...stream.options, DATASOURCE: path.replace(/device=[^&]*/, `device=${encodeURIComponent(device)}`) },
    extra: { ...stream.extra, url: withoutSlash(labeler.url), headers },
  };
}

/** Installs the labeler's functions labelImage, labelText and labelOf, or changes their labeler. */
export async function installService(api: EkuiperApi, labeler: Labeler): Promise<void> {
  const { zip } = await serviceDefinition(labeler);
  await api.putService(SERVICE, await api.upload(ZIP, zip));
}

/** Creates the shipped stream `tfdemo` of binary MQTT messages. */
export async function installStream(api: EkuiperApi, broker?: string): Promise<void> {
  const { source, key } = sourceIn(dialectOf(await api.version()), await imageStream(broker));
  if (key !== undefined) await api.call("PUT", `/metadata/sources/${key.type}/confKeys/${key.name}`, key.settings);
  await api.putSource("streams", source.name, sourceSql.write(source));
}
