/**
 * Requests that wait for each other continue within themselves, even where V8 has optimised the code that waits (see
 * worker/runtime/shared-promise.ts). The labeler runs with a flag of V8 that optimises functions after a few calls: by
 * default it takes seconds of load.
 */
import { request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { V8_FLAGS } from "../../scripts/labeler/workerd-config.ts";
import { fixture } from "./client.ts";

const CLIENTS = 8;
const UPLOADS = 6;
const coffee = fixture("coffee.png");

let labeler: RunningWorkerd;
beforeAll(async () => {
  labeler = await startWorkerd({ v8Flags: [...V8_FLAGS, "--jit-fuzzing"], settings: { MAX_WAIT_MS: "20000" } });
});
afterAll(() => labeler?.stop());

/** Uploads an image over a connection of its own. @returns The status and the body of the answer. */
function upload(image: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${labeler.url}/label?top=1`,
      { method: "POST", agent: false, timeout: 20_000 },
      (response) => {
        let text = `${response.statusCode} `;
        response.on("data", (data) => (text += data));
        response.once("end", () => resolve(text));
      },
    );
    call.once("timeout", () => call.destroy(new Error("no answer within 20 s")));
    call.once("error", reject);
    call.end(image);
  });
}

it(`answers ${CLIENTS} clients that upload on a connection each`, async () => {
  const answers = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const texts: string[] = [];
      // Each another file, since a known one needs no inference.
      for (let i = 0; i < UPLOADS; i++)
        texts.push(await upload(Buffer.concat([coffee, Buffer.from(`${client} ${i}`)])));
      return texts;
    }),
  );
  for (const text of answers.flat()) expect(text).toMatch(/^200 .*espresso/);
  expect(labeler.log()).not.toMatch(/different request/);
});
