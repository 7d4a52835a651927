/**
 * Compares what a gateway has with what it should have, and lists the calls of its REST API that make up the
 * difference.
 */
import { isDeepStrictEqual } from "node:util";
import { CommandError } from "../../command-line/command.ts";
import type { EkuiperApi, Rule } from "./api.ts";
import { type ConfigurationKey, isOurRule, isOurSource } from "./dialect.ts";
import type { Parts } from "./parts.ts";
import { SERVICE, ZIP } from "./service.ts";
import { type SourceDefinition, sourceSql } from "./source-sql.ts";
import { namesOf } from "./sql-function.ts";
import { calls, functionNames, type GatewayState, isRunning, kindOf, ours, reads } from "./state.ts";

/** A change of the gateway. */
export interface Step {
  /** What the step does, in a few words. */
  readonly why: string;
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** As JSON; for the upload, the name of the file. */
  readonly body?: unknown;
  run(api: EkuiperApi): Promise<unknown>;
  /** Reverts the step; "nothing" if there is nothing to revert. Absent if it cannot be reverted. */
  readonly undo?: Step | "nothing" | undefined;
  /** What exists already and is replaced or removed, for example "rule label". */
  readonly replaces?: string | undefined;
}

/** Thrown if something of the user's is in the way. The message names it, and the fix. */
export class Conflict extends CommandError {
  override name = "Conflict";
}

function step(why: string, method: Step["method"], path: string, body?: object, undo?: Step["undo"]): Step {
  return { why, method, path, body, undo, run: (api) => api.call(method, path, body) };
}

const putRule = (rule: Rule) => step(`rule ${rule.id}: ${rule.sql}`, "PUT", `/rules/${rule.id}`, rule);
/** PUT would create it, too, but version 1 refuses PUT for a rule that does not exist. */
const postRule = (rule: Rule) => step(`rule ${rule.id}: ${rule.sql}`, "POST", "/rules", rule);
const sourcePath = (source: SourceDefinition) => `/${kindOf(source)}/${source.name}`;
const putSource = (source: SourceDefinition) =>
  step(`${source.kind.toLowerCase()} ${source.name}`, "PUT", sourcePath(source), { sql: sourceSql.write(source) });
const keyPath = ({ type, name }: ConfigurationKey) => `/metadata/sources/${type}/confKeys/${name}`;
const dropKey = (key: ConfigurationKey) => step(`configuration key ${key.name} goes`, "DELETE", keyPath(key));

const sameSource = (a: SourceDefinition, b: SourceDefinition) =>
  isDeepStrictEqual(a.options, b.options) && isDeepStrictEqual(a.extra, b.extra);

/**
 * Whether a rule is as it is wanted. Whether it runs is not compared: one that the user has started or stopped is the
 * same rule. Neither are options that the wanted rule leaves to eKuiper, some releases of which list them all.
 */
function sameRule(there: Rule, { triggered: _, options = {}, ...wanted }: Rule): boolean {
  const { triggered: __, options: all = {}, ...rest } = there;
  return isDeepStrictEqual(rest, wanted) && Object.entries(options).every(([key, value]) => all[key] === value);
}

/** Image streams of the user's are used unchanged, if that is possible. */
function mayUse(there: SourceDefinition, wanted: SourceDefinition): boolean {
  if (isOurSource(there)) return false;
  const { kind, name } = there;
  if (name === "tfdemo" && there.options.FORMAT?.toUpperCase() === "BINARY") return true;
  const what = `${kind.toLowerCase()} ${name}`;
  throw new Conflict(
    name === "tfdemo"
      ? `There is a ${what} of your own, which is not of FORMAT="BINARY" (${wanted.options.DATASOURCE} needs that). Remove or rename it: DELETE /${kindOf(there)}/${name}`
      : `There is a ${what} that was not installed by this command. Remove or rename it: DELETE /${kindOf(there)}/${name}`,
  );
}

function serviceSteps(state: GatewayState, { service }: Parts): Step[] {
  const names = namesOf(service.functions);
  for (const name of names) {
    const owner = state.functions.get(name);
    if (owner === undefined || owner === SERVICE) continue;
    throw new Conflict(`Service ${owner} offers a function ${name}, too. Remove it: DELETE /services/${owner}`);
  }
  const gone = functionNames(state).find((name) => !names.includes(name) && usersOf(state, name).length > 0);
  if (gone !== undefined) {
    throw new Conflict(
      `Your rule ${usersOf(state, gone)[0]} calls ${gone}(), which would go. Name it with the others: --function ${gone}=…`,
    );
  }
  const there = Object.keys(state.service?.Interfaces ?? {}).sort();
  if (isDeepStrictEqual(there, [...service.interfaces].sort())) return [];
  const exists = state.service !== undefined;
  const path = exists ? `/services/${SERVICE}` : "/services";
  let file = `file://<the answer of the upload>`;
  return [
    {
      why: `service ${SERVICE} (${service.interfaces.join(", ")})`,
      method: "POST",
      path: "/config/uploads",
      body: `uploadFile=@${ZIP}`,
      undo: state.zip ? "nothing" : step("the uploaded zip goes", "DELETE", `/config/uploads/${ZIP}`),
      run: async (api) => {
        file = await api.upload(ZIP, service.zip);
      },
    },
    {
      why: `${names.map((name) => `${name}()`).join(", ")} in SQL`,
      method: exists ? "PUT" : "POST",
      path,
      body: { name: SERVICE, file },
      replaces: exists ? `service ${SERVICE}` : undefined,
      undo: exists ? undefined : step("the functions go", "DELETE", `${path}/${SERVICE}`),
      run: (api) => api.call(exists ? "PUT" : "POST", path, { name: SERVICE, file }),
    },
  ];
}

/** Rules come before the streams and tables that they read. */
function removals(state: GatewayState, keep: { sources: readonly string[]; rules: readonly string[] }): Step[] {
  const { sources, rules } = ours(state);
  return [
    ...rules
      .filter(({ id }) => !keep.rules.includes(id))
      .map(({ id, rule }) => ({
        ...step(`rule ${id} goes`, "DELETE", `/rules/${id}`, undefined, postRule(rule)),
        replaces: `rule ${id}`,
      })),
    ...sources
      .filter(({ name }) => !keep.sources.includes(name))
      .map((source) => {
        const replaces = `${source.kind.toLowerCase()} ${source.name}`;
        return { ...step(`${replaces} goes`, "DELETE", sourcePath(source), undefined, putSource(source)), replaces };
      }),
  ];
}

const sameKey = (a: ConfigurationKey, b: ConfigurationKey) => a.type === b.type && a.name === b.name;

/** The keys that are missing. Their names are derived from their content, so that an existing one is correct. */
function keySteps(state: GatewayState, keys: readonly ConfigurationKey[], isByHand: boolean): Step[] {
  if (state.keys === undefined) {
    if (isByHand || keys.length === 0) return [];
    throw new Conflict(byHand(keys));
  }
  return keys
    .filter((key) => !state.keys?.some((there) => sameKey(there, key)))
    .map((key) => {
      const path = keyPath(key);
      return step(`configuration key ${key.name} of ${key.type}`, "PUT", path, key.settings, dropKey(key));
    });
}

/** Instructions for a user whose eKuiper accepts settings neither in a stream nor through its REST API. */
function byHand(keys: readonly ConfigurationKey[]): string {
  const files = keys.map(({ type, name, settings }) => {
    const file = type === "mqtt" ? "etc/mqtt_source.yaml" : `etc/sources/${type}.yaml`;
    const lines = Object.entries(settings).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`);
    return [`  ${file}:`, `  ${name}:`, ...lines].join("\n");
  });
  return [
    "This eKuiper has no EXTRA for streams, and was built without the metadata by which its REST API sets configuration keys.",
    "Write these keys into its files, restart it, and install again with --force:",
    ...files,
  ].join("\n");
}

/**
 * The steps that bring a gateway to the wanted parts; none if it has them. Parts of another loop are removed.
 *
 * @param keysByHand Whether configuration keys that calls cannot set are assumed to exist.
 * @throws Conflict
 */
export function installSteps(state: GatewayState, parts: Parts, keysByHand = false): Step[] {
  const keep = { sources: parts.sources.map(({ name }) => name), rules: parts.rules.map(({ id }) => id) };
  const steps = removals(state, keep);
  for (const { path } of steps) {
    const name = path.split("/").at(-1) ?? "";
    const user = usersOf(state, name)[0];
    if (user !== undefined) throw new Conflict(`Your rule ${user} reads ${name}, which this loop has no use for.`);
  }

  const service = serviceSteps(state, parts);
  steps.push(...service);
  const found = (wanted: SourceDefinition) =>
    state.sources.find(({ name, kind }) => name === wanted.name && kind === wanted.kind);
  const sources = parts.sources.filter((source) => {
    const there = found(source);
    return there === undefined || !mayUse(there, source);
  });
  const keys = parts.keys.filter(({ name }) => sources.some(({ options }) => options.CONF_KEY === name));
  steps.push(...keySteps(state, keys, keysByHand));
  const changed: string[] = [];
  for (const source of sources) {
    const there = found(source);
    if (there !== undefined && sameSource(there, source)) continue;
    changed.push(source.name);
    steps.push(...sourceSteps(state, source, there));
  }

  const names = namesOf(parts.service.functions);
  const isStale = (rule: Rule) =>
    changed.some((name) => reads(rule, name)) || (service.length > 0 && names.some((name) => calls(rule, name)));
  const written: string[] = [];
  const starts: Step[] = [];
  for (const rule of parts.rules) {
    const there = state.rules.find(({ id }) => id === rule.id);
    if (there !== undefined && !isOurRule(there.rule)) {
      throw new Conflict(
        `There is a rule ${rule.id} that was not installed by this command. Remove it or give it another name: DELETE /rules/${rule.id}`,
      );
    }
    if (there === undefined || !sameRule(there.rule, rule)) {
      // A rule that the user has started stays started, even if the shipped one is not triggered.
      const body = there !== undefined && isRunning(there) ? { ...rule, triggered: true } : rule;
      written.push(rule.id);
      if (there !== undefined) steps.push({ ...putRule(body), undo: putRule(there.rule), replaces: `rule ${rule.id}` });
      else steps.push({ ...postRule(body), undo: step(`rule ${rule.id} goes`, "DELETE", `/rules/${rule.id}`) });
    } else if (!isRunning(there) && rule.triggered !== false && !isStale(rule)) {
      const undo = step(`rule ${rule.id} stops`, "POST", `/rules/${rule.id}/stop`);
      starts.push(step(`rule ${rule.id} had stopped`, "POST", `/rules/${rule.id}/start`, undefined, undo));
    }
  }
  // Running rules, the user's too, keep the caller and the stream with which they have started.
  for (const there of state.rules) {
    if (written.includes(there.id) || !isStale(there.rule) || steps.some(({ path }) => path === `/rules/${there.id}`)) {
      continue;
    }
    const isWanted = parts.rules.some(({ id, triggered }) => id === there.id && triggered !== false);
    if (isRunning(there) || isWanted) {
      const path = `/rules/${there.id}/restart`;
      steps.push(step(`rule ${there.id} takes the change`, "POST", path, undefined, "nothing"));
    }
  }
  const stale = (state.keys ?? []).filter((there) => !keys.some((key) => sameKey(there, key)));
  return [...steps, ...starts, ...stale.map(dropKey)];
}

/** Creates or replaces a stream or table. */
function sourceSteps(state: GatewayState, source: SourceDefinition, there: SourceDefinition | undefined): Step[] {
  const { name } = source;
  const path = sourcePath(source);
  if (there === undefined) return [{ ...putSource(source), undo: step(`${name} goes`, "DELETE", path) }];
  const replaces = `${source.kind.toLowerCase()} ${name}`;
  const [before, after] = [there, source].map(({ options }) => options.SHARED === "true");
  const stops = before || after ? stopReaders(state, name) : [];
  if (before === after) return [...stops, { ...putSource(source), undo: putSource(there), replaces }];
  // eKuiper does not replace a stream if that changes whether rules share it; force, since rules refer to it.
  const goes = (why: string, undo?: Step) => step(why, "DELETE", `${path}?force=true`, undefined, undo);
  return [
    ...stops,
    goes(`${replaces} goes, to be ${after ? "shared by rules" : "of each rule"}`, putSource(there)),
    { ...putSource(source), undo: goes(`${name} goes`), replaces },
  ];
}

/**
 * A shared stream keeps its client, with its settings, as long as any rule reads it; restarting the rules one by one is
 * not enough.
 */
function stopReaders(state: GatewayState, stream: string): Step[] {
  return state.rules
    .filter((there) => isRunning(there) && reads(there.rule, stream))
    .map(({ id }) => {
      const undo = step(`rule ${id} starts again`, "POST", `/rules/${id}/start`);
      return step(`rule ${id} stops, to let go of stream ${stream}`, "POST", `/rules/${id}/stop`, undefined, undo);
    });
}

/** The user's own rules that need one of the product's streams, tables or functions. */
function usersOf(state: GatewayState, name: string): string[] {
  return state.rules
    .filter(({ rule }) => !isOurRule(rule) && (reads(rule, name) || calls(rule, name)))
    .map(({ id }) => id);
}

/** The steps that remove everything that was installed. @throws Conflict if rules of the user's own would miss it. */
export function uninstallSteps(state: GatewayState): Step[] {
  const mine = ours(state);
  const needed = [...mine.sources.map(({ name }) => name), ...functionNames(state)];
  const users = [...new Set(needed.flatMap((name) => usersOf(state, name)))];
  if (users.length > 0) {
    const [what, verb] = users.length === 1 ? ["Your rule", "uses"] : ["Your rules", "use"];
    throw new Conflict(
      `${what} ${users.join(", ")} ${verb} what would go. Change or delete first: DELETE /rules/${users[0]}`,
    );
  }
  const steps = [...removals(state, { sources: [], rules: [] }), ...(state.keys ?? []).map(dropKey)];
  if (state.service !== undefined) steps.push(step("the functions go", "DELETE", `/services/${SERVICE}`));
  if (state.zip) steps.push(step("the uploaded zip goes", "DELETE", `/config/uploads/${ZIP}`));
  return steps;
}
