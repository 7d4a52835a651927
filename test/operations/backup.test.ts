/** operations/backup.sh copies the results of a labeler that is storing others, and a labeler starts with such a copy. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { post } from "../http/client.ts";
import { endServes, headers, type Serve, shareServeFolders, startServe } from "../http/serve-process.ts";
import { lacks } from "./programs.ts";

const SCRIPT = "operations/backup.sh";
const skip = lacks("sqlite3");
const { folder, state, models } = shareServeFolders("backup");
const backups = join(folder, "backups");

/** @returns The folder of the copy. */
const backUp = (...options: string[]) =>
  execFileSync(SCRIPT, [...options, state, backups], { encoding: "utf8" }).trim();

const submit = async ({ url }: Serve, id: string, device: string) =>
  (await post(`${url}/ekuiper/sink?id=${id}&device=${device}`, "no image", headers)).status;

interface Row {
  readonly id: string;
  readonly next: string;
}

async function storedRows({ url }: Serve): Promise<Row[]> {
  const rows: Row[] = [];
  for (let since = "0"; ; since = rows.at(-1)?.next ?? since) {
    const page: Row[] = await (await fetch(`${url}/results?limit=1000&since=${since}`, { headers })).json();
    if (page.length === 0) return rows;
    rows.push(...page);
  }
}

/** All bytes of the databases in a folder. */
const bytesIn = (copy: string) =>
  Buffer.concat(
    (readdirSync(copy, { recursive: true, encoding: "utf8" }) as string[])
      .filter((name) => name.endsWith(".sqlite"))
      .map((name) => readFileSync(join(copy, name))),
  );

/** The same without blocking this process. */
function backUpMeanwhile(): Promise<string> {
  const child = spawn(SCRIPT, [state, backups]);
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (out += data));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(out.trim()) : reject(new Error(out))));
  });
}

it.skipIf(skip).each(["1", "2"])(
  "takes a snapshot under load, which is restored, with --workers %s",
  async (workers) => {
    for (const path of [join(state, "results"), backups]) rmSync(path, { recursive: true, force: true });
    const labeler = await startServe({ state, models }, ["--workers", workers]);
    for (let i = 0; i < 5; i++) expect(await submit(labeler, `erased-${i}`, "device-of-nobody")).toBe(204);
    const erase = await fetch(`${labeler.url}/results?device=device-of-nobody`, { method: "DELETE", headers });
    expect(await erase.json()).toEqual({ erased: 5 });

    const acknowledged = new Set<string>();
    let stopped = false;
    const clients = Array.from({ length: 4 }, async (_, client) => {
      for (let i = 0; !stopped; i++) {
        const id = `${client}-${i}`;
        expect(await submit(labeler, id, `gate-${client}`)).toBe(204);
        acknowledged.add(id);
      }
    });
    await expect.poll(() => acknowledged.size).toBeGreaterThan(40);
    const before = [...acknowledged];
    const copy = await backUpMeanwhile();
    const during = acknowledged.size;
    await expect.poll(() => acknowledged.size).toBeGreaterThan(during + 40);
    stopped = true;
    await Promise.all(clients);
    const live = await storedRows(labeler);
    expect(live.map(({ id }) => id).toSorted()).toEqual([...acknowledged].toSorted());
    await endServes();

    // The bytes of an erased result stay in the database until they are overwritten, and are not in a copy.
    expect(bytesIn(copy).includes("device-of-nobody")).toBe(false);

    rmSync(join(state, "results"), { recursive: true });
    cpSync(join(copy, "results"), join(state, "results"), { recursive: true });
    const restored = await startServe({ state, models }, ["--workers", workers]);
    const rows = await storedRows(restored);
    const ids = new Set(rows.map(({ id }) => id));
    expect(before.filter((id) => !ids.has(id))).toEqual([]);
    // It is one moment of the store: the first rows of what the labeler had in the end, with the same cursors.
    expect(rows).toEqual(live.slice(0, rows.length));
    expect(rows.length).toBeLessThan(live.length);
    expect(await submit(restored, "after", "gate-1")).toBe(204);
    expect((await storedRows(restored)).at(-1)?.id).toBe("after");

    // Older copies go, other files stay. Two in the same second have names of their own.
    mkdirSync(join(backups, "notes"));
    const second = backUp("--keep", "1");
    expect(second).not.toBe(copy);
    expect(backUp("--keep", "1")).not.toBe(second);
    expect(readdirSync(backups)).toHaveLength(2);
  },
  240_000,
);

it.skipIf(skip).each([
  [["/tmp"], 2, /usage: backup\.sh \[--keep N\] STATE TARGET/],
  [["--keep", "0", "a", "b"], 2, /usage/],
  [["docs", "/nowhere/at/all"], 1, /docs is not the state folder of a labeler: it does not contain the folder results/],
] as const)("says what is wrong with %j", (args, code, message) => {
  const { status, stderr } = spawnSync(SCRIPT, args, { encoding: "utf8" });
  expect([status, stderr]).toEqual([code, expect.stringMatching(message)]);
});
