/** A program written for the typed client of version 0.1.0 compiles, and gets the answers that it got of that release. */
import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { labelerClient } from "../../../worker/client.ts";
import { fixture } from "../files.ts";
import answers from "./answers.json?raw";
import { useClient } from "./program.ts";

const worker = (exports as unknown as { default: Fetcher }).default;
const labeler = labelerClient("http://labeler", {
  fetch: (input, init) => worker.fetch(new Request(input as string, init as RequestInit)),
});

/** Texts for people, and the version: they may change. */
const FREE = ["title", "detail", "error", "version"];

/**
 * What has to hold for today's value: numbers of the network alike, fields and items that are new allowed only where a
 * program looks them up by name.
 */
function expectKept(now: unknown, then: unknown, path: string): void {
  const name = path.split(".").at(-1) ?? "";
  if (typeof then === "number" && !Number.isInteger(then)) {
    expect(now, path).toBeCloseTo(then, 2);
  } else if (typeof then === "string" && then !== "" && FREE.includes(name)) {
    expect(now, path).toMatch(/\w/);
  } else if (Array.isArray(then)) {
    expect(Array.isArray(now) && now.length >= then.length, path).toBe(true);
    then.forEach((item, i) => {
      expectKept((now as unknown[])[i], item, `${path}.${i}`);
    });
  } else if (typeof then === "object" && then !== null) {
    for (const [field, value] of Object.entries(then)) {
      expectKept((now as Record<string, unknown> | undefined)?.[field], value, `${path}.${field}`);
    }
  } else {
    expect(now, path).toEqual(then);
  }
}

it("answers every call as version 0.1.0 did, in fields that may only have become more", async () => {
  const then: Record<string, unknown> = JSON.parse(answers);
  const now = await useClient(labeler, await fixture("coffee-96.webp"));
  expect(Object.keys(now)).toEqual(Object.keys(then));
  for (const [call, answer] of Object.entries(then)) expectKept(now[call], answer, call);
});
