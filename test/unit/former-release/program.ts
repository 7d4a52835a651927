/**
 * A program of a user of version 0.1.0, written for its typed client: every call of that release, and every field of its
 * answers. It compiles against the client of commit 58426e7 and against today's. client.test.ts beside it runs it.
 */
import type { labelerClient } from "../../../worker/client.ts";

type Client = ReturnType<typeof labelerClient>;

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const json = async (response: { status: number; json(): Promise<unknown> }): Promise<Answer> => ({
  status: response.status,
  body: await response.json(),
});
const text = async (response: { status: number; text(): Promise<string> }): Promise<Answer> => ({
  status: response.status,
  body: await response.text(),
});

/** @param image A small picture of a cup of coffee. @returns The answer of each call by a name. */
export async function useClient(labeler: Client, image: Uint8Array<ArrayBuffer>): Promise<Record<string, Answer>> {
  const base64 = btoa(String.fromCharCode(...image));
  const body = { init: { body: image } };
  const jsonBody = (value: unknown) => ({
    init: { body: JSON.stringify(value), headers: { "content-type": "application/json" } },
  });
  const named = (name: string) => ({ param: { name } });
  const model = "mobilenet_v1_1.0_224";

  // The types of answers, as programs use them.
  const reply = await (await labeler.ekuiper.labelImage.$post({}, body)).json();
  const best: { label: string; confidence: number; results: readonly { label: string; confidence: number }[] } = reply;
  const failure: string | undefined = reply.error;
  const listed = await (await labeler.models.$get()).json();
  const described: readonly { name: string; bytes: number; sha256: string; default: boolean }[] = listed;
  const classes: number | undefined = (await (await labeler.models[":name"].$get(named(model))).json()).classes;

  const input = { name: "image", datatype: "BYTES", shape: [1], data: [base64] };
  return {
    typed: {
      status: 200,
      body: { best, failure: failure ?? null, models: described.map(({ name }) => name), classes },
    },
    label: await json(await labeler.label.$post({ query: { top: "2", precision: "exact" } }, body)),
    labelCrop: await json(await labeler.label.$post({ query: { top: "1", crop: "center", exif: "ignore" } }, body)),
    labelJson: await json(await labeler.label.$post({ query: { top: "1" } }, jsonBody({ image: base64 }))),
    labelMany: await json(
      await labeler.label.$post({ query: { top: "1" } }, jsonBody({ images: [{ name: "a", image: base64 }, "AAAA"] })),
    ),
    labelNothing: await json(await labeler.label.$post({}, { init: { body: "no image" } })),
    labelImage: await json(await labeler.ekuiper.labelImage.$post({}, body)),
    labelImageOfNothing: await json(await labeler.ekuiper.labelImage.$post({}, { init: { body: "no image" } })),
    labelText: await text(await labeler.ekuiper.labelText.$post({}, body)),
    sink: await text(
      await labeler.ekuiper.sink.$post(
        {},
        { init: { body: image, headers: { "X-Image-Id": "shot-1", "X-Device": "gate", "X-Time": "1764000000000" } } },
      ),
    ),
    labelOf: await json(await labeler.ekuiper.labelOf.$post({}, { init: { body: "shot-1" } })),
    results: await json(await labeler.results.$get({ query: { since: "0", limit: "10" } })),
    result: await json(await labeler.results[":id"].$get({ param: { id: "shot-1" } })),
    noResult: await json(await labeler.results[":id"].$get({ param: { id: "shot-2" } })),
    push: await json(await labeler.push.$get()),
    classify: await json(
      await labeler.models[":name"].$post(named(model), jsonBody({ inputs: base64, parameters: { top_k: 2 } })),
    ),
    server: await json(await labeler.v2.$get()),
    metadata: await json(await labeler.v2.models[":name"].$get(named(model))),
    ready: await json(await labeler.v2.models[":name"].ready.$get(named(model))),
    infer: await json(await labeler.v2.models[":name"].infer.$post(named(model), jsonBody({ inputs: [input] }))),
    live: await json(await labeler.v2.health.live.$get()),
    healthz: await json(await labeler.healthz.$get()),
    readyz: await json(await labeler.readyz.$get()),
    metrics: { status: (await labeler.metrics.$get()).status, body: null },
  };
}
