/** A thin client of eKuiper's REST API: only the calls that install, remove and inspect what ekuiper/ ships. */
import { CommandError } from "../../command-line/command.ts";

/** A rule as eKuiper defines it: its id, its SQL, and the actions for its rows, keyed by the kind of sink. */
export interface Rule {
  id: string;
  sql: string;
  /** A name for people, shown instead of the id. */
  name?: string;
  actions: Record<string, Record<string, unknown>>[];
  tags?: string[];
  triggered?: boolean;
  options?: Record<string, unknown>;
}

/** Counters of a rule, keyed as eKuiper writes them, for example `sink_mqtt_0_0_records_out_total`. */
export type RuleStatus = Record<string, string | number>;

/** `status` is "running", or begins with "stopped"; version 1 writes it with a capital. */
export interface ListedRule {
  id: string;
  status: string;
}

/** A stream or table. */
export type SourceKind = "streams" | "tables";

/** The options of a stream or table, for example datasource, format, type, extra; `extra` is JSON. */
export type SourceOptions = Record<string, string | boolean>;

export interface Service {
  Interfaces: Record<string, { Addr: string; Options?: { headers?: Record<string, string> }; Functions: string[] }>;
}

export interface PortablePlugin {
  name: string;
  functions?: string[] | null;
}

/** Thrown if eKuiper refuses a call. */
export class EkuiperError extends CommandError {
  override name = "EkuiperError";
}

/** A call, as logs show it: `PUT /rules/label`. */
export type CallObserver = (method: string, path: string) => void;

export class EkuiperApi {
  /** @param base The REST API's address, for example http://127.0.0.1:9081 @param observe Receives each call. */
  constructor(
    readonly base: string,
    readonly observe: CallObserver = () => undefined,
  ) {}

  async version(): Promise<string> {
    const { version }: { version: string } = JSON.parse(await this.call("GET", "/"));
    return version;
  }

  /** Puts a file into the engine's uploads folder and returns the file:// URL that other calls accept. */
  async upload(name: string, content: Uint8Array): Promise<string> {
    const form = new FormData();
    form.append("uploadFile", new Blob([new Uint8Array(content)]), name);
    return `file://${await this.call("POST", "/config/uploads", form)}`;
  }

  /** The paths of uploaded files on the engine's machine. */
  uploads(): Promise<string[]> {
    return this.#list("/config/uploads");
  }

  services(): Promise<string[]> {
    return this.#list("/services");
  }

  async service(name: string): Promise<Service> {
    return JSON.parse(await this.call("GET", `/services/${name}`));
  }

  /** The name of the service that offers each function. */
  async serviceFunctions(): Promise<{ FuncName: string; ServiceName: string }[]> {
    return this.#list("/services/functions");
  }

  /** Installs an external service from a zip, or replaces it. PUT alone fails for a service that does not exist. */
  async putService(name: string, file: string): Promise<void> {
    const exists = (await this.services()).includes(name);
    await this.call(exists ? "PUT" : "POST", exists ? `/services/${name}` : "/services", { name, file });
  }

  /**
   * The configuration keys of a type of streams, by name; eKuiper masks their passwords. Undefined if eKuiper was built
   * without the manager's metadata: such a build reads keys only from its etc/.
   */
  async configurationKeys(type: string): Promise<Record<string, Record<string, unknown>> | undefined> {
    const yaml = await this.call("GET", `/metadata/sources/yaml/${type}`).catch(() => undefined);
    return yaml === undefined ? undefined : JSON.parse(yaml);
  }

  plugins(): Promise<PortablePlugin[]> {
    return this.#list("/plugins/portables");
  }

  /** The names of the streams or tables. */
  sources(kind: SourceKind): Promise<string[]> {
    return this.#list(`/${kind}`);
  }

  async sourceOptions(kind: SourceKind, name: string): Promise<SourceOptions> {
    const { Options }: { Options: SourceOptions } = JSON.parse(await this.call("GET", `/${kind}/${name}`));
    return Options;
  }

  /** Creates or replaces a stream or table. */
  async putSource(kind: SourceKind, name: string, sql: string): Promise<void> {
    await this.call("PUT", `/${kind}/${name}`, { sql });
  }

  /** Creates or replaces a stream. */
  putStream(name: string, sql: string): Promise<void> {
    return this.putSource("streams", name, sql);
  }

  rules(): Promise<ListedRule[]> {
    return this.#list("/rules");
  }

  /** The rule as it was written. */
  async rule(id: string): Promise<Rule> {
    return JSON.parse(await this.call("GET", `/rules/${id}`));
  }

  /** Creates or replaces a rule; replacing one restarts it. */
  async putRule(rule: Rule): Promise<void> {
    const exists = (await this.rules()).some(({ id }) => id === rule.id);
    // On version 1, PUT alone fails for a rule that does not exist.
    await this.call(exists ? "PUT" : "POST", exists ? `/rules/${rule.id}` : "/rules", rule);
  }

  async deleteRule(id: string): Promise<void> {
    await this.call("DELETE", `/rules/${id}`);
  }

  async ruleStatus(id: string): Promise<RuleStatus> {
    return JSON.parse(await this.call("GET", `/rules/${id}/status`));
  }

  /** Makes any call. @throws EkuiperError if the answer is not a 2xx. @throws TypeError if nothing answers. */
  async call(method: string, path: string, body?: FormData | object): Promise<string> {
    const isForm = body instanceof FormData;
    this.observe(method, path);
    const response = await fetch(this.base + path, {
      method,
      signal: AbortSignal.timeout(30_000),
      ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
      ...(body !== undefined && !isForm && { headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    if (!response.ok) throw new EkuiperError(`eKuiper refused ${method} ${path}: ${response.status} ${text.trim()}`);
    return text;
  }

  /** eKuiper writes an empty list as null. */
  async #list<T>(path: string): Promise<T[]> {
    return JSON.parse(await this.call("GET", path)) ?? [];
  }
}
