/**
 * The unchanged Worker under a clock that stands still during computation, as Cloudflare's does: a scheduler that
 * relied on measured time alone would see no time pass.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { probeDuring, waits, workDuring } from "../../scripts/measure/probes.ts";
import { fixture, labelsOf, post } from "./client.ts";

const UPLOADS = 40;
const coffee = fixture("coffee.png");

let labeler: RunningWorkerd;
let url: string;
beforeAll(async () => {
  const settings = { MAX_WAIT_MS: "60000", ON_CLOUDFLARE: "true" };
  labeler = await startWorkerd({ prelude: "scripts/labeler/frozen-clock.js", settings });
  url = `${labeler.url}/label`;
});
afterAll(() => labeler?.stop());

it("reports the stages that wait, for which the clock goes on, and none that computes", async () => {
  const response = await post(url, coffee);
  const timing = response.headers.get("server-timing") ?? "";
  expect((await labelsOf(response))[0].label).toBe("968:espresso");
  expect(timing).toMatch(/receive;dur=/);
  expect(timing).not.toMatch(/decode|infer/);
  await expect.poll(labeler.log).toMatch(/"path":"\/label".*"ms":{[^}]*"receive"/);
  expect(labeler.log()).not.toMatch(/"(decode|infer)":/);
  expect(await (await fetch(`${labeler.url}/metrics`)).text()).not.toMatch(/step="(decode|infer)"/);
});

it(`/healthz is answered between any two of ${UPLOADS} uploads`, async () => {
  const { result: answers, probes } = await probeDuring(labeler.url, (did) =>
    // Each another file, since a known one needs no inference.
    Promise.all(Array.from({ length: UPLOADS }, (_, i) => post(url, new Blob([coffee, `${i}`])).finally(did))),
  );
  for (const response of answers) expect((await labelsOf(response))[0].label).toBe("968:espresso");
  console.log(`/healthz under a frozen clock: ${probes.length} probes, ${waits(probes)}`);
  // However fast the machine is: a probe waits for the upload that has the thread when it comes, and for no other. One
  // more may have been on its way to us. More are counted only where the machine kept the probing thread waiting.
  const { most, ever } = workDuring(probes);
  expect(most).toBeLessThanOrEqual(4);
  expect(ever).toBeLessThanOrEqual(12);
  expect(probes.length).toBeGreaterThanOrEqual(20);
  expect(Math.max(...probes.map(({ ms }) => ms))).toBeLessThan(1000);
});
