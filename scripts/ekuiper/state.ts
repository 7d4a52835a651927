/** What is on a gateway, read without changing anything. */
import type { EkuiperApi, ListedRule, PortablePlugin, Rule, Service, SourceKind } from "./api.ts";
import { isOurRule, isOurSource, STREAMS, TABLES } from "./parts.ts";
import { SERVICE, ZIP } from "./service.ts";
import { type SourceDefinition, sourceSql } from "./source-sql.ts";

export interface InstalledRule extends ListedRule {
  readonly rule: Rule;
}

export interface GatewayState {
  readonly service: Service | undefined;
  /** Whether the service's zip is among the uploads. */
  readonly zip: boolean;
  /** Function name → service that offers it. */
  readonly functions: ReadonlyMap<string, string>;
  /** The streams and tables whose names are this product's, theirs or not. */
  readonly sources: readonly SourceDefinition[];
  /** All rules of the gateway. */
  readonly rules: readonly InstalledRule[];
  readonly plugins: readonly PortablePlugin[];
}

export const EMPTY: GatewayState = {
  service: undefined,
  zip: false,
  functions: new Map(),
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

export async function readState(api: EkuiperApi): Promise<GatewayState> {
  const [services, uploads, functions, streams, tables, listed, plugins] = await Promise.all([
    api.services(),
    api.uploads(),
    api.serviceFunctions(),
    sourcesOf(api, "streams", STREAMS),
    sourcesOf(api, "tables", TABLES),
    api.rules(),
    // A build without portable plugins has no such address.
    api.plugins().catch(() => []),
  ]);
  return {
    service: services.includes(SERVICE) ? await api.service(SERVICE) : undefined,
    zip: uploads.some((path) => path.endsWith(`/${ZIP}`)),
    functions: new Map(functions.map(({ FuncName, ServiceName }) => [FuncName, ServiceName])),
    sources: [...streams, ...tables],
    rules: await Promise.all(listed.map(async (rule) => ({ ...rule, rule: await api.rule(rule.id) }))),
    plugins,
  };
}

/** Whether it is the plugin of ekuiper/plugin: other products' plugins offer functions of the same names. */
export const isOurPlugin = ({ name, functions }: PortablePlugin) =>
  name === "labeler" && functions?.length === 1 && functions[0] === "labelImage";

export const isRunning = ({ status }: ListedRule) => status === "running";

/** What this product has put there. */
export function ours({ sources, rules }: GatewayState) {
  return { sources: sources.filter(isOurSource), rules: rules.filter(({ rule }) => isOurRule(rule)) };
}

/** Whether a rule's SQL calls the function, or reads from the stream or table. */
export const calls = (rule: Rule, name: string) => new RegExp(`\\b${name}\\s*\\(`).test(rule.sql ?? "");
export const reads = (rule: Rule, name: string) => new RegExp(`\\b(FROM|JOIN)\\s+${name}\\b`, "i").test(rule.sql ?? "");
