/** What Cloudflare bills for a submission: calls of the Durable Object, rows that it writes, alarms that it sets. */
/// <reference types="@cloudflare/vitest-plugin/types" />

import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { app } from "../../../worker/app.ts";
import { Results } from "../../../worker/results/object.ts";
import { fixture } from "../files.ts";

interface Billed {
  calls: number;
  rows: number;
}

/** Counts the rows that a storage writes from now on, as the runtime counts them. An alarm counts as one. */
function countRows({ storage }: DurableObjectState, billed: Billed): void {
  const { sql } = storage;
  const [exec, setAlarm] = [sql.exec.bind(sql), storage.setAlarm.bind(storage)];
  sql.exec = ((query: string, ...values: unknown[]) => {
    const cursor = exec(query, ...values);
    billed.rows += cursor.rowsWritten;
    return cursor;
  }) as typeof sql.exec;
  storage.setAlarm = (time) => {
    billed.rows++;
    return setAlarm(time);
  };
}

let image: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  image = await fixture("coffee-96.webp");
});

/** Runs `work` with the labeler, whose object is one of its own with these settings. */
function withLabeler(
  settings: Record<string, string>,
  work: (submit: (query: string) => Promise<number>, billed: Billed) => Promise<void>,
): Promise<void> {
  return runInDurableObject(env.RESULTS.get(env.RESULTS.newUniqueId()), async (_, ctx) => {
    const billed: Billed = { calls: 0, rows: 0 };
    const own = { ...env, LOG: "off", ...settings } as unknown as typeof env;
    countRows(ctx, billed);
    const object = new Results(ctx, own);
    const stub = new Proxy(object, {
      get(_, method: "put" | "has") {
        return (...args: [never]) => {
          billed.calls++;
          return object[method](...args);
        };
      },
    });
    const submit = async (query: string) => {
      const context = createExecutionContext();
      const request = new Request(`http://localhost/ekuiper/sink?${query}`, { method: "POST", body: image });
      const { status } = await app.fetch(request, { ...own, RESULTS: { getByName: () => stub } }, context);
      await waitOnExecutionContext(context);
      return status;
    };
    await work(submit, billed);
  });
}

it.each([
  ["with a device", "device=gate&", 3],
  ["without a device", "", 2],
])("a submission %s makes one call and writes few rows, whether one must go for it or not", async (_, query, rows) => {
  await withLabeler({ RESULTS_MAX_COUNT: "5" }, async (submit, billed) => {
    await submit(`${query}id=first`); // it makes the tables and sets the alarm for aging
    for (let i = 0; i < 10; i++) {
      Object.assign(billed, { calls: 0, rows: 0 });
      expect(await submit(`${query}id=billed-${rows}-${i}`)).toBe(204);
      expect(billed).toEqual({ calls: 1, rows });
    }
  });
});

it("an image that is repeated makes one call, and writes nothing", async () => {
  await withLabeler({}, async (submit, billed) => {
    await submit("id=repeated");
    for (const query of ["id=repeated", ""]) {
      await submit(query);
      Object.assign(billed, { calls: 0, rows: 0 });
      expect(await submit(query)).toBe(204);
      expect(billed).toEqual({ calls: 1, rows: 0 });
    }
  });
});
