/** The alerts and the dashboard of operations/: by promtool, and by a Prometheus that reads a labeler. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { freePorts } from "../../scripts/system/ports.ts";
import { fixture, post } from "../http/client.ts";
import { parsePrometheus } from "../http/prometheus.ts";
import { edit, lacks, listens, program, type Server, startServer } from "./programs.ts";

const FOLDER = "operations/prometheus";
const ALERTS = readFileSync(join(FOLDER, "alerts.yml"), "utf8");
const skip = lacks("prometheus", "promtool");
const headers = { authorization: "Bearer s3cret" };

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
const { panels }: { panels: readonly Panel[] } = JSON.parse(
  readFileSync("operations/grafana/edge-labeler.json", "utf8"),
);
const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));

it.skipIf(skip)("promtool accepts the alerts, and each fires when it should", () => {
  const promtool = (...args: string[]) => execFileSync(program("promtool"), args, { encoding: "utf8", stdio: "pipe" });
  expect(promtool("check", "rules", join(FOLDER, "alerts.yml"))).toMatch(/SUCCESS: \d+ rules found/);
  expect(promtool("test", "rules", join(FOLDER, "alerts.test.yml"))).toContain("SUCCESS");
  const alerts = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const tests = readFileSync(join(FOLDER, "alerts.test.yml"), "utf8");
  expect(alerts.filter((name) => !tests.includes(`alertname: ${name}\n`))).toEqual([]);
  const page = readFileSync("docs/how-to/troubleshoot.md", "utf8");
  expect(alerts.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

describe.skipIf(skip)("a Prometheus that reads a labeler", () => {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-prometheus-"));
  let labeler: RunningWorkerd;
  let prometheus: Server;
  let api: string;

  async function ask(path: string): Promise<{ status: string; error?: string; data: never }> {
    return (await fetch(`${api}${path}`)).json();
  }
  const query = async (expression: string) => {
    const { status, error, data } = await ask(`/api/v1/query?query=${encodeURIComponent(expression)}`);
    expect([status, error], expression).toEqual(["success", undefined]);
    return (data as { result: readonly { value: [number, string] }[] }).result;
  };

  beforeAll(async () => {
    labeler = await startWorkerd({ settings: { LABELER_TOKEN: "s3cret" } });
    const [port = 0] = await freePorts(1);
    api = `http://127.0.0.1:${port}`;
    const changed = edit(readFileSync(join(FOLDER, "prometheus.yml"), "utf8"), {
      "15s": "1s",
      "127.0.0.1:8787": new URL(labeler.url).host,
    });
    writeFileSync(join(folder, "prometheus.yml"), changed);
    writeFileSync(join(folder, "alerts.yml"), ALERTS);
    writeFileSync(join(folder, "token"), "s3cret");
    const data = `--storage.tsdb.path=${join(folder, "data")}`;
    const options = [`--config.file=${join(folder, "prometheus.yml")}`, data, `--web.listen-address=127.0.0.1:${port}`];
    prometheus = startServer("prometheus", options);
    await listens(port, prometheus);
  });

  afterAll(async () => {
    await prometheus?.stop();
    await labeler?.stop();
    rmSync(folder, { recursive: true });
  });

  it("has what each panel of the dashboard shows, and evaluates each alert", async () => {
    const image = fixture("coffee-96.webp");
    let sent = 0;
    const filled = (expression: string) =>
      edit(expression, { $job: "edge-labeler", $instance: ".*" }).replaceAll("$__rate_interval", "1m");
    const missing = async () => {
      // Rates take two different values of each counter, and a stage is only timed where an image is new.
      const images = [Buffer.concat([image, Buffer.from(`#${sent++}`)]), image];
      for (const body of images) expect((await post(`${labeler.url}/label`, body, headers)).status).toBe(200);
      const empty: string[] = [];
      for (const [title, expression] of queries) {
        const values = await query(filled(expression));
        if (!values.some(({ value: [, value] }) => value !== "NaN")) empty.push(`${title}: ${expression}`);
      }
      return empty;
    };
    await expect.poll(missing, { interval: 500 }).toEqual([]);

    const rules = async () => {
      const { data } = await ask("/api/v1/rules");
      const { groups } = data as { groups: readonly { rules: readonly { name: string; health: string }[] }[] };
      return groups.flatMap(({ rules }) => rules).filter(({ health }) => health !== "ok");
    };
    await expect.poll(rules).toEqual([]);
    expect(await query(`ALERTS{alertstate="firing"}`)).toEqual([]);
  });

  it("finds every metric that alerts and dashboard name in /metrics", async () => {
    const text = await (await fetch(`${labeler.url}/metrics`, { headers })).text();
    const exported = new Set(parsePrometheus(text).map(({ name }) => name));
    const named = new Set(`${ALERTS}${JSON.stringify(panels)}`.match(/edge_labeler_\w+/g));
    expect(named.size).toBeGreaterThan(8);
    expect([...named].filter((name) => !exported.has(name))).toEqual([]);
  });
});
