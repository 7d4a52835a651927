/** The parts of several workers, each alone: who takes a request, how many workers there are, and what they share. */
import { expect, it } from "vitest";
import { FormMemory } from "../../scripts/user/serve/workers/form-memory.ts";
import { howMany } from "../../scripts/user/serve/workers/how-many.ts";
import { MetricsSum } from "../../scripts/user/serve/workers/metrics-sum.ts";
import { Roster } from "../../scripts/user/serve/workers/roster.ts";

const GB = 2 ** 30;
const limits = { MAX_CONCURRENT: 8, MAX_WAITING: 64 };
const signal = new AbortController().signal;

it.each([
  [1, 16, 1],
  [2, 1.9, 1],
  [4, 0.9, 1],
  [2, 2, 2],
  [4, 3.8, 3],
  [16, 64, 8], // no more than MAX_CONCURRENT
])("has, for %i cores and %f GB, %i workers unless told otherwise", (cores, memory, count) => {
  expect(howMany("auto", { cores, memory: memory * GB }, limits).count).toBe(count);
});

it("has as many workers as it is told, unless they could not divide the limits", () => {
  const machine = { cores: 1, memory: GB };
  expect(howMany(8, machine, limits).count).toBe(8);
  expect(() => howMany(9, machine, limits)).toThrow(/--workers 9: the workers divide MAX_CONCURRENT, which is 8/);
  expect(() => howMany(3, machine, { ...limits, MAX_WAITING: 2 })).toThrow(/MAX_WAITING, which is 2/);
});

const placeIn = async (roster: Roster) => {
  const place = await roster.place(1000, signal);
  if (place === undefined) throw new Error("no place");
  return place;
};

it("gives a request to the worker with the fewest, and to a silent one only if none answers", async () => {
  const [a, b] = [{ path: "a" }, { path: "b" }];
  const roster = new Roster();
  for (const member of [a, b]) {
    roster.add(member);
    roster.note(member, "answers");
  }
  const places = [];
  for (let i = 0; i < 4; i++) places.push(await placeIn(roster));
  expect(places.map(({ member }) => member.path)).toEqual(["a", "b", "a", "b"]);
  places[1].leave();
  expect((await placeIn(roster)).member).toBe(b);
  roster.note(b, "silent");
  expect((await placeIn(roster)).member).toBe(a);
  roster.note(a, "ended");
  expect((await placeIn(roster)).member).toBe(b);
});

it("lets requests wait while no worker runs, but not for ever, nor for a client that has gone", async () => {
  const roster = new Roster();
  const a = { path: "a" };
  roster.add(a);
  const waiting = [placeIn(roster), placeIn(roster)];
  roster.note(a, "answers");
  expect((await Promise.all(waiting)).map(({ member }) => member)).toEqual([a, a]);
  roster.note(a, "ended");
  expect(await roster.place(20, signal)).toBeUndefined();
  expect(await roster.place(10_000, AbortSignal.timeout(20))).toBeUndefined();
});

it("retires a worker when its last request has ended", async () => {
  const roster = new Roster();
  const a = { path: "a" };
  roster.add(a);
  roster.note(a, "answers");
  const [first, second] = [await placeIn(roster), await placeIn(roster)];
  let retired = false;
  const idle = roster.retire(a).then(() => {
    retired = true;
  });
  first.leave();
  await Promise.resolve();
  expect(retired).toBe(false);
  second.leave();
  await idle;
  expect(await roster.place(0, signal)).toBeUndefined();
});

it("grants memory up to the limit, collects what is not held, and has what an ended process held", async () => {
  const held = new Map<string, number | undefined>([
    ["a", 0],
    ["b", 0],
  ]);
  const memory = new FormMemory({ has: (name) => held.has(name), giveBack: (name) => Promise.resolve(held.get(name)) });
  const wish = (process: string, bytes: number) => memory.grant({ process, bytes, limit: 160 });
  expect(await wish("a", 100)).toBe(110);
  held.set("a", 100);
  expect(await wish("b", 61)).toBe(0); // a holds 100
  expect(await wish("b", 60)).toBe(60);
  held.set("a", 20).set("b", 130);
  expect(await Promise.all([wish("b", 130), wish("a", 90)])).toEqual([140, 0]);
  held.set("b", undefined); // it is silent: what it was granted stays granted
  expect(await wish("a", 31)).toBe(0);
  memory.forget("b");
  held.delete("b");
  expect(await wish("a", 160)).toBe(160);
  expect(await wish("b", 1)).toBe(0); // it has ended
});

const counted = (count: number, age: number, label = "x") => `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="${label}"} ${count}
# HELP held Held.
# TYPE held gauge
held ${count}
# HELP edge_labeler_isolate_age_seconds Age.
# TYPE edge_labeler_isolate_age_seconds gauge
edge_labeler_isolate_age_seconds ${age}
`;

it("sums metrics, and keeps the counts of processes that have ended", () => {
  const sum = new MetricsSum<string>();
  sum.hear("a", counted(3, 10));
  sum.hear("b", counted(4, 20, "y z"));
  expect(sum.render()).toMatch(/^requests_total\{route="x"\} 3\nrequests_total\{route="y z"\} 4$/m);
  sum.hear("b", counted(5, 30));
  expect(sum.render()).toBe(counted(8, 30));
  sum.end("a");
  sum.hear("c", counted(1, 1));
  expect(sum.render()).toBe(counted(9, 30).replace("held 9", "held 6"));
});
