/** The typed client against the Worker itself: its calls are those of the routes, with their types. */
import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { labelerClient } from "../../worker/client.ts";
import { fixture } from "./files.ts";

const worker = (exports as unknown as { default: Fetcher }).default;
const labeler = labelerClient("http://labeler", {
  fetch: (input, init) => worker.fetch(new Request(input as string, init as RequestInit)),
});

it("labels, and knows what the answer looks like", async () => {
  const body = await fixture("coffee.png");
  const response = await labeler.label.$post({ query: { top: "2" } }, { init: { body } });
  expect(response.status).toBe(200);
  const reply = await labeler.ekuiper.labelImage.$post({}, { init: { body } });
  const { label, confidence }: { label: string; confidence: number } = await reply.json();
  expect(label).toBe("968:espresso");
  expect(confidence).toBeGreaterThan(0.99);
});

it("lists models and reads one", async () => {
  const models = await (await labeler.models.$get()).json();
  const names: string[] = models.map(({ name }) => name);
  expect(names).toContain("mobilenet_v1_1.0_224");
  const one = await labeler.models[":name"].$get({ param: { name: "mobilenet_v1_1.0_224" } });
  expect((await one.json()).classes).toBe(1001);
});

it("knows the calls that erase, which take a token that this labeler does not have", async () => {
  const response = await labeler.results[":id"].$delete({ param: { id: "shot-1" } });
  expect(response.status).toBe(401);
  type Erased = Awaited<ReturnType<typeof response.json>>;
  const several = () => labeler.results.$delete({ query: { device: "gate", before: "2026-11-24" } });
  type SeveralErased = Awaited<ReturnType<Awaited<ReturnType<typeof several>>["json"]>>;
  const counts: [Erased, SeveralErased] = [{ erased: 1 }, { erased: 2 }];
  expect(counts).toHaveLength(2);
});
