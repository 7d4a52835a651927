/** Calls of the Durable Object: what its errors, whose texts are those of workerd, mean for a caller; erasing in parts. */
import { expect, it } from "vitest";
import { RemoteResults, storageError } from "../../../worker/results/remote.ts";
import type { ResultsApi } from "../../../worker/results/results-api.ts";

it.each([
  ["database or disk is full: SQLITE_FULL", {}, "storage-full", 507, 30],
  ["database disk image is malformed: SQLITE_CORRUPT", {}, "storage-broken", 503, 30],
  ["attempt to write a readonly database: SQLITE_READONLY", {}, "storage-broken", 503, 30],
  ["internal error; reference = 901jd1ub7g03t7934mbkjb64", {}, "storage-broken", 503, 30],
  ["internal error; reference = 901jd1ub7g03t7934mbkjb64", { retryable: true }, "busy", 503, 1],
  ["Durable Object is overloaded. Too many requests queued.", { overloaded: true }, "busy", 503, 1],
  ["Network connection lost.", { retryable: true }, "busy", 503, 1],
])("understands %j with %j as %s", (message, properties, kind, status, retryAfter) => {
  const error = Object.assign(new Error(message), properties);
  expect(storageError(error)).toMatchObject({ kind, status, retryAfter, cause: error });
});

it.each([new TypeError("x is not a function"), "text", undefined])("takes %s for a bug", (error) => {
  expect(storageError(error)).toBeUndefined();
});

it("erases part after part, and has told what is erased when one fails", async () => {
  const asked: number[] = [];
  const object = {
    erase: async (_: unknown, after: number) => {
      asked.push(after);
      if (after === 9000) throw new Error("database or disk is full: SQLITE_FULL");
      return { count: 2000, after: after === 0 ? 4500 : 9000 };
    },
  } as unknown as ResultsApi;
  let erased = 0;
  const erasing = new RemoteResults(object).erase({ device: "gate" }, (count) => {
    erased += count;
  });
  await expect(erasing).rejects.toMatchObject({ kind: "storage-full" });
  expect([asked, erased]).toEqual([[0, 4500, 9000], 4000]);
});
