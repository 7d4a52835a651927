/** docs/reference/metrics.md is complete: names, types and labels of /metrics, and the stages of a request. */
import { createExecutionContext, env } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import documented from "../../../docs/reference/metrics.md?raw";
import { app } from "../../../worker/app.ts";
import type { Bindings } from "../../../worker/settings/settings.ts";
import { fixture } from "../files.ts";

/** The first cells of the table whose first head this is, without backquotes; sorted. */
function rows(head: string, cells: number): string[] {
  const lines = documented.split("\n");
  const begin = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const cellsOf = (line: string) =>
    line
      .replaceAll("`", "")
      .split("|")
      .slice(1, cells + 1);
  const table = lines.slice(begin + 2, lines.indexOf("", begin));
  return table
    .map((line) =>
      cellsOf(line)
        .map((cell) => cell.trim())
        .join(" | "),
    )
    .toSorted();
}

const ask = (path: string, init: RequestInit = {}) =>
  app.fetch(new Request(`http://labeler${path}`, init), env as Bindings, createExecutionContext());

let metrics: string;
beforeAll(async () => {
  expect((await ask("/label", { method: "POST", body: await fixture("coffee.png") })).status).toBe(200);
  metrics = await (await ask("/metrics")).text();
});

it("every metric with its type and its labels, and no others", () => {
  const shown = [...metrics.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = "", type = ""]) => {
    const [, series = ""] = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, "m").exec(metrics) ?? [];
    const labels = [...series.matchAll(/(\w+)="/g)].map(([, label]) => label);
    return `${name} | ${type} | ${labels.join(", ")}`;
  });
  expect(shown.toSorted()).toEqual(rows("metric", 3));
});

it("every stage of a request", () => {
  const seen = [...metrics.matchAll(/step_duration_seconds_count\{step="(\w+)"\}/g)].map(([, step]) => step);
  expect(seen.toSorted()).toEqual(rows("stage", 1));
});
