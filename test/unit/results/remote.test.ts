/** The meaning of a Durable Object's errors for a caller. Their texts are those of workerd. */
import { expect, it } from "vitest";
import { storageError } from "../../../worker/results/remote.ts";

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
