/**
 * Reads and writes CREATE STREAM and CREATE TABLE statements, as far as ekuiper/ needs them: no columns, options in
 * double quotes.
 */
import type { SourceOptions } from "./api.ts";

export interface SourceDefinition {
  readonly kind: "STREAM" | "TABLE";
  readonly name: string;
  /** By their names in SQL, without EXTRA. */
  readonly options: Readonly<Record<string, string>>;
  /**
   * EXTRA: settings that would otherwise be in a configuration key, which only some builds of eKuiper can set through
   * their REST API.
   */
  readonly extra: Readonly<Record<string, unknown>>;
}

const STATEMENT = /^CREATE (STREAM|TABLE) (\w+) \(\) WITH \((.*)\)$/;
const OPTION = /(\w+)=("(?:[^"\\]|\\.)*")/g;

/** @throws Error for any other statement than `write` produces. */
function parse(sql: string): SourceDefinition {
  const [, kind, name, list] = STATEMENT.exec(sql) ?? [];
  if ((kind !== "STREAM" && kind !== "TABLE") || name === undefined || list === undefined) {
    throw new Error(`This is not a statement as in ekuiper/streams and ekuiper/tables: ${sql}`);
  }
  const options: Record<string, string> = {};
  for (const [, option = "", value = ""] of list.matchAll(OPTION)) options[option] = JSON.parse(value);
  const { EXTRA, ...rest } = options;
  return { kind, name, options: rest, extra: EXTRA === undefined ? {} : JSON.parse(EXTRA) };
}

function write({ kind, name, options, extra }: SourceDefinition): string {
  const all = { ...options, ...(Object.keys(extra).length > 0 && { EXTRA: JSON.stringify(extra) }) };
  const list = Object.entries(all).map(([option, value]) => `${option}=${JSON.stringify(value)}`);
  return `CREATE ${kind} ${name} () WITH (${list.join(", ")})`;
}

/** The SQL name of an option; for example, eKuiper's REST API calls CONF_KEY confKey. */
const inSql = (option: string) => option.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();

/** Converts eKuiper's description of a stream or table to a definition. */
function describe(kind: SourceDefinition["kind"], name: string, described: SourceOptions): SourceDefinition {
  const { extra, ...rest } = described;
  const options = Object.entries(rest).map(([option, value]) => [inSql(option), String(value)]);
  return {
    kind,
    name,
    options: Object.fromEntries(options),
    extra: extra === undefined ? {} : JSON.parse(String(extra)),
  };
}

export const sourceSql = { parse, write, describe };
