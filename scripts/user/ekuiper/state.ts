/** Reads what is on a gateway, without changing anything. */
import type { EkuiperApi, ListedRule, PortablePlugin, Rule, Service, SourceKind } from "./api.ts";
import { type ConfigurationKey, isOurRule, isOurSource, KEY_PREFIX } from "./dialect.ts";
import { STREAMS, TABLES } from "./parts.ts";
import { SERVICE, ZIP } from "./service.ts";
import { type SourceDefinition, sourceSql } from "./source-sql.ts";
import { functionsOf, namesOf } from "./sql-function.ts";

export interface InstalledRule extends ListedRule {
  readonly rule: Rule;
}

export interface GatewayState {
  readonly service: Service | undefined;
  /** Whether the service's zip is among the uploads. */
  readonly zip: boolean;
  /** Function name → service that offers it. */
  readonly functions: ReadonlyMap<string, string>;
  /** This product's configuration keys; undefined where eKuiper was built without the manager's metadata. */
  readonly keys: readonly ConfigurationKey[] | undefined;
  /** The streams and tables that have a name of this product, whoever has created them. */
  readonly sources: readonly SourceDefinition[];
  /** All rules of the gateway. */
  readonly rules: readonly InstalledRule[];
  readonly plugins: readonly PortablePlugin[];
}

export const EMPTY: GatewayState = {
  service: undefined,
  zip: false,
  functions: new Map(),
  keys: [],
  sources: [],
  rules: [],
  plugins: [],
};

export const kindOf = ({ kind }: SourceDefinition): SourceKind => (kind === "STREAM" ? "streams" : "tables");

async function sourcesOf(api: EkuiperApi, kind: SourceKind, names: readonly string[]): Promise<SourceDefinition[]> {
  const there = await api.sources(kind);
  return Promise.all(
    names
      .filter((name) => there.includes(name))
      .map(async (name) => {
        const options = await api.sourceOptions(kind, name);
        return sourceSql.describe(kind === "streams" ? "STREAM" : "TABLE", name, options);
      }),
  );
}

/** The types of this product's streams that need settings if there is no EXTRA. */
const KEYED_TYPES = ["mqtt", "httppush"] as const;

async function keysOf(api: EkuiperApi): Promise<ConfigurationKey[] | undefined> {
  const found = await Promise.all(
    KEYED_TYPES.map(async (type) => {
      const keys = await api.configurationKeys(type);
      return keys && Object.entries(keys).map(([name, settings]) => ({ type, name, settings }));
    }),
  );
  if (found.every((keys) => keys === undefined)) return undefined;
  return found.flatMap((keys) => keys ?? []).filter(({ name }) => name.startsWith(KEY_PREFIX));
}

export async function readState(api: EkuiperApi): Promise<GatewayState> {
  const [services, uploads, functions, keys, streams, tables, listed, plugins] = await Promise.all([
    api.services(),
    api.uploads(),
    api.serviceFunctions(),
    keysOf(api),
    sourcesOf(api, "streams", STREAMS),
    sourcesOf(api, "tables", TABLES),
    api.rules(),
    // A build without portable plugins does not have this address.
    api.plugins().catch(() => []),
  ]);
  return {
    service: services.includes(SERVICE) ? await api.service(SERVICE) : undefined,
    zip: uploads.some((path) => path.endsWith(`/${ZIP}`)),
    functions: new Map(functions.map(({ FuncName, ServiceName }) => [FuncName, ServiceName])),
    keys,
    sources: [...streams, ...tables],
    rules: await Promise.all(listed.map(async (rule) => ({ ...rule, rule: await api.rule(rule.id) }))),
    plugins,
  };
}

/** Whether it is the plugin of ekuiper/plugin: plugins of other products offer functions of the same names. */
export const isOurPlugin = ({ name, functions }: PortablePlugin) =>
  name === "labeler" && functions?.length === 1 && functions[0] === "labelImage";

/** The names of the SQL functions of this product's service; none where it is not installed. */
export const functionNames = ({ service }: GatewayState): string[] =>
  service === undefined ? [] : namesOf(functionsOf(service));

export const isRunning = ({ status }: Pick<ListedRule, "status">) => /^running/i.test(status); // Version 1 begins it with a capital.

/** The parts that this product has installed there. */
export function ours({ sources, rules }: GatewayState) {
  return { sources: sources.filter(isOurSource), rules: rules.filter(({ rule }) => isOurRule(rule)) };
}

/** Whether a rule's SQL calls the function, or reads from the stream or table. */
export const calls = (rule: Rule, name: string) => new RegExp(`\\b${name}\\s*\\(`).test(rule.sql ?? "");
export const reads = (rule: Rule, name: string) => new RegExp(`\\b(FROM|JOIN)\\s+${name}\\b`, "i").test(rule.sql ?? "");
