/** `npm run serve` with the state folder of a former release, and with that of a newer one. */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { endServes, headers, type Serve, shareServeFolders, startServe } from "./serve-process.ts";

const FORMER = "test/fixtures/state-0.1.0";
const { state, models } = shareServeFolders("former");
const results = join(state, "results");

const get = async ({ url }: Serve, path: string) => (await fetch(`${url}${path}`, { headers })).json();

function restoreFormer(): void {
  rmSync(results, { recursive: true, force: true });
  cpSync(join(FORMER, "results"), results, { recursive: true });
}

it.each(["1", "2"])("reads all results of 0.1.0 and goes on behind them, with --workers %s", async (workers) => {
  restoreFormer();
  // The target is down, so that what waits for it stays countable: 4 of 16 results were deleted before they could be sent.
  const args = ["--workers", workers, "--var", "PUSH_TARGETS:http://127.0.0.1:9/labels"];
  const labeler = await startServe({ state, models }, args);
  const former = JSON.parse(readFileSync(join(FORMER, "results.json"), "utf8"));
  expect(former).toHaveLength(12);
  expect(await get(labeler, "/results?limit=1000")).toEqual(former);
  expect(await get(labeler, "/results?device=cam-1")).toEqual(
    former.filter(({ device }: { device: string }) => device === "cam-1"),
  );
  expect(await get(labeler, "/results/old-16")).toEqual(former.at(-1));
  expect(await get(labeler, "/push")).toMatchObject({ targets: [{ waiting: 12, givenUp: 4 }] });
  const submitted = await post(`${labeler.url}/ekuiper/sink?id=new`, fixture("coffee-96.webp"), headers);
  expect(submitted.status).toBe(204);
  expect(await get(labeler, `/results?since=${former.at(-1).next}`)).toMatchObject([{ id: "new", next: "r17" }]);
  expect(await get(labeler, "/push")).toMatchObject({ targets: [{ waiting: 13 }] });
});

/** Notes a version in the database with the results. @returns Whether Python could. */
function noteVersion(version: number): boolean {
  const names = readdirSync(results, { recursive: true }) as string[];
  const file = names.find((name) => name.endsWith(".sqlite") && !name.endsWith("metadata.sqlite")) ?? "none";
  const program =
    "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); " +
    `db.execute('UPDATE schema_version SET version = ${version}'); db.commit()`;
  const { status, stderr } = spawnSync("python3", ["-c", program, join(results, file)], { encoding: "utf8" });
  if (status === 0) return true;
  if (process.env.CI) throw new Error(`Python cannot write to the results: ${stderr}`);
  console.warn("The state of a newer release is not tested: that takes Python.");
  return false;
}

it("refuses the results of a newer release in a sentence, leaves them as they are, and labels", async () => {
  restoreFormer();
  const first = await startServe({ state, models });
  const before = await get(first, "/results");
  await endServes();
  if (!noteVersion(99)) return;
  const labeler = await startServe({ state, models });
  const sentence =
    /^The results were stored by a newer release of the labeler \(.* 99, .* 1\): run .* before the upgrade\.$/;
  await expectProblem(await fetch(`${labeler.url}/results`, { headers }), 503, "storage-broken", sentence);
  await expectProblem(await fetch(`${labeler.url}/readyz`), 503, "storage-broken", sentence);
  const submitted = await post(`${labeler.url}/ekuiper/sink?id=a`, "no image", headers);
  expect([submitted.status, (await submitted.json()).detail]).toEqual([503, expect.stringMatching(sentence)]);
  expect(submitted.headers.get("retry-after")).toBe("30");
  const labels = await labelsOf(await post(`${labeler.url}/label`, fixture("coffee-96.webp"), headers));
  expect(labels[0]?.label).toBe("red");
  await expect.poll(labeler.log).toMatch(/The results were stored by a newer release/);
  expect(labeler.log()).not.toMatch(/^\s+at /m);
  await endServes();
  noteVersion(1);
  expect(await get(await startServe({ state, models }), "/results")).toEqual(before);
});
