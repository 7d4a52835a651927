/** What the documentation, the installer and CI state about eKuiper's versions must agree. Needs no engine. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { PROXIED_VERSIONS } from "../../scripts/ekuiper-engine/engine-source.ts";
import type { Rule } from "../../scripts/user/ekuiper/api.ts";
import { sinkCall } from "../../scripts/user/ekuiper/as-rule.ts";
import {
  dialectOf,
  isOurRule,
  isOurSource,
  NEWEST,
  ruleIn,
  sourceIn,
  TRIED,
} from "../../scripts/user/ekuiper/dialect.ts";
import { LOOPS, partsOf } from "../../scripts/user/ekuiper/parts.ts";
import { Conflict, installSteps } from "../../scripts/user/ekuiper/plan.ts";
import { printable } from "../../scripts/user/ekuiper/printable.ts";
import { shippedRule } from "../../scripts/user/ekuiper/service.ts";
import { EMPTY } from "../../scripts/user/ekuiper/state.ts";

const token = "s3cret+/=";
const labeler = { url: "http://labeler:8787", token };
const wanted = {
  labeler,
  broker: "tcp://gate:p%40ss@broker:1883",
  topic: "cams/#",
  device: "gate 7",
  functions: [],
  mqtt: {},
};

/** Rows of the table in ekuiper/versions.md: version → its cells by the names of the columns. */
async function table(): Promise<Map<string, Record<string, string>>> {
  const lines = (await readFile("ekuiper/versions.md", "utf8")).split("\n").filter((line) => line.startsWith("|"));
  const cells = (line = "") =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
  const [, ...columns] = cells(lines[0]);
  return new Map(
    lines.slice(2).map((line) => {
      const [version = "", ...values] = cells(line);
      return [version, Object.fromEntries(columns.map((column, i) => [column, values[i] ?? ""]))];
    }),
  );
}

test("the table claims what the code claims, and CI runs what is said to be run by CI", async () => {
  const rows = await table();
  expect([...rows.keys()]).toEqual(Object.keys(TRIED));
  const inCi = Object.keys(TRIED).filter((version) => TRIED[version] === "CI");
  expect(inCi).toEqual(PROXIED_VERSIONS);
  for (const [version, row] of rows) {
    const { hasCursor, hasExtra, hasTextArguments } = dialectOf(version);
    for (const column of ["function", "sink", "push", "plugin"]) expect(row[column], version).toBe(TRIED[version]);
    expect(row.labelOf, version).toBe(hasTextArguments ? TRIED[version] : "no");
    for (const column of ["pull", "table"]) expect(row[column], version).toBe(hasCursor ? TRIED[version] : "no");
    expect(row["settings of streams"]).toBe(hasExtra ? "EXTRA" : "configuration key");
  }
});

describe.each(Object.keys(TRIED))("what is written for eKuiper %s", (version) => {
  const dialect = dialectOf(version);
  const loops = LOOPS.filter((loop) => loop !== "pull" || dialect.hasCursor);

  test.each(loops)(
    "%s: everything has the mark, and nothing is there that this version does not know",
    async (loop) => {
      const { rules, sources, keys } = await partsOf({ ...wanted, loop }, dialect);
      expect(rules.every(isOurRule)).toBe(true);
      expect(sources.every(isOurSource)).toBe(true);
      expect(rules.some(({ tags }) => tags !== undefined)).toBe(dialect.hasTags);
      expect(sources.some(({ extra }) => Object.keys(extra).length > 0)).toBe(dialect.hasExtra);
      expect(keys.map(({ name }) => name)).toEqual(sources.flatMap(({ options }) => options.CONF_KEY ?? []));
      if (!dialect.hasDurations) expect(JSON.stringify(rules)).not.toMatch(/"\d+m?s"/);
    },
  );
});

test("the settings of a configuration key are what would be in EXTRA, and their digest is in its name", async () => {
  const [newest, older] = await Promise.all([
    partsOf({ ...wanted, loop: "function" }, NEWEST),
    partsOf({ ...wanted, loop: "function" }, dialectOf("2.2.5")),
  ]);
  const { installedBy: _, ...extra } = newest.sources[0]?.extra ?? {};
  expect(older.keys).toEqual([{ type: "mqtt", name: expect.stringMatching(/^edge_labeler_\w{12}$/), settings: extra }]);
  const other = await partsOf({ ...wanted, broker: "tcp://other:1883", loop: "function" }, dialectOf("2.2.5"));
  expect(other.keys[0]?.name).not.toBe(older.keys[0]?.name);
});

test("an eKuiper that sets configuration keys by no call is told by hand, with the settings, before anything is done", async () => {
  const parts = await partsOf({ ...wanted, loop: "push" }, dialectOf("1.14.7"));
  const state = { ...EMPTY, keys: undefined };
  expect(() => installSteps(state, parts)).toThrow(Conflict);
  expect(() => installSteps(state, parts)).toThrow(
    /etc\/mqtt_source\.yaml:\n {2}edge_labeler_\w+:\n {4}server: "tcp:\/\/broker:1883"\n[\s\S]*etc\/sources\/httppush\.yaml/,
  );
  const paths = installSteps(state, parts, true).map(({ path }) => path);
  expect(paths.some((path) => path.startsWith("/metadata"))).toBe(false);
  expect(paths).toContain("/streams/tfdemo");
});

test.each([
  ["1.14.7", false],
  ["2.2.5", false],
  ["2.3.0", false],
  ["2.3.1", true],
  ["2.4.0", true],
  ["2.4.1", true],
  ["2.4.2", false],
  ["v2.5.0", false],
])("on %s the sink's URL has the token: %s", async (version, has) => {
  const rule: Rule = ruleIn(dialectOf(version), await shippedRule("handover", wanted.broker, labeler, wanted.device));
  const { url = "", headers } = (rule.actions[0]?.rest ?? {}) as { url?: string; headers?: Record<string, string> };
  expect(headers?.Authorization).toBe(`Bearer ${token}`);
  expect(url).toMatch(/\/ekuiper\/sink\?id=\{\{urlquery \.id\}\}&time=\{\{urlquery \.time\}\}&device=gate%207$/);
  expect(url.includes("@")).toBe(has);
  if (has) expect(decodeURIComponent(new URL(url).password)).toBe(token);
});

test("`test` and `status` call the sink with a token that is in the rule's URL alone, and the header goes before it", async () => {
  const rule: Rule = ruleIn(dialectOf("2.4.0"), await shippedRule("handover", wanted.broker, labeler, wanted.device));
  const sink = rule.actions[0]?.rest as { headers: Record<string, string> };
  const { Authorization: _, ...others } = sink.headers;
  const bare: Rule = { ...rule, actions: [{ rest: { ...sink, headers: others } }] };
  const basic = `Basic ${Buffer.from(`edge-labeler:${token}`).toString("base64")}`;
  const submission = { id: "a b", device: "gate" };
  expect(sinkCall(bare, submission, false)).toMatchObject({
    url: expect.stringMatching(/^http:\/\/labeler:8787\/ekuiper\/sink\?id=a\+b&/),
    headers: { authorization: basic },
  });
  expect(sinkCall(rule, submission, false)?.headers.authorization).toBe(`Bearer ${token}`);
});

test("a source that needs no settings gets no configuration key", () => {
  const source = { kind: "STREAM", name: "x", options: { FORMAT: "JSON" }, extra: {} } as const;
  expect(sourceIn(dialectOf("2.2.5"), source)).toEqual({ source });
});

test("a printed call shows neither the token in a URL nor that in a header", async () => {
  const rule = ruleIn(dialectOf("2.4.0"), await shippedRule("handover", wanted.broker, labeler, wanted.device));
  const step = { why: "", method: "POST", path: "/rules", body: rule, run: () => Promise.resolve() } as const;
  const { body = "" } = printable(step);
  expect(body).toContain("http://…@labeler:8787/ekuiper/sink?id={{urlquery .id}}");
  for (const secret of [token, encodeURIComponent(token), "p@ss"]) expect(body).not.toContain(secret);
});
