/** A thin client of eKuiper's REST API: only the calls that install a service, streams and rules, and look at them. */

/** What eKuiper calls a rule: its id, its SQL and where its rows go, keyed by the kind of sink. */
export interface Rule {
  id: string;
  sql: string;
  actions: Record<string, Record<string, unknown>>[];
  triggered?: boolean;
  options?: Record<string, unknown>;
}

/** Counters of a rule, keyed as eKuiper writes them, for example `sink_mqtt_0_0_records_out_total`. */
export type RuleStatus = Record<string, string | number>;

/** eKuiper refused a call. */
export class EkuiperError extends Error {
  override name = "EkuiperError";
}

export class EkuiperApi {
  /** @param base the REST API's address, for example http://127.0.0.1:9081 */
  constructor(readonly base: string) {}

  /** Puts a file into the engine's uploads folder and returns the file:// URL that other calls accept. */
  async upload(name: string, content: Uint8Array): Promise<string> {
    const form = new FormData();
    form.append("uploadFile", new Blob([new Uint8Array(content)]), name);
    return `file://${await this.#call("POST", "/config/uploads", form)}`;
  }

  /** Installs an external service from a zip, or replaces it. PUT alone fails for a service that does not exist. */
  async putService(name: string, file: string): Promise<void> {
    const names: unknown = JSON.parse(await this.#call("GET", "/services"));
    const exists = Array.isArray(names) && names.includes(name);
    await this.#call(exists ? "PUT" : "POST", exists ? `/services/${name}` : "/services", { name, file });
  }

  /** Creates or replaces a stream. */
  async putStream(name: string, sql: string): Promise<void> {
    await this.#call("PUT", `/streams/${name}`, { sql });
  }

  /** Creates or replaces a rule; replacing one restarts it. */
  async putRule(rule: Rule): Promise<void> {
    await this.#call("PUT", `/rules/${rule.id}`, rule);
  }

  async deleteRule(id: string): Promise<void> {
    await this.#call("DELETE", `/rules/${id}`);
  }

  async ruleStatus(id: string): Promise<RuleStatus> {
    return JSON.parse(await this.#call("GET", `/rules/${id}/status`));
  }

  async #call(method: string, path: string, body?: FormData | object): Promise<string> {
    const isForm = body instanceof FormData;
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
}
