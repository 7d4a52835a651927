/** Cached results: ETag, If-None-Match, and images that are sent again. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { fixture, labelsOf, post } from "./client.ts";
import { RUNTIMES } from "./runtimes.ts";

/** Small enough to be taken in whole before it is decoded, and too large for that. */
const small = fixture("rocket.jpg");
const large = fixture("coffee.png");

const headers = (response: Response) => ({
  etag: response.headers.get("etag"),
  cache: response.headers.get("cache-status"),
});

describe.each(RUNTIMES)("on %s", (runtime, start) => {
  let labeler: RunningLabeler;
  let url: string;
  beforeAll(async () => {
    labeler = await start();
    url = `${labeler.url}/label`;
    expect(small.length).toBeLessThan(256 << 10);
    expect(large.length).toBeGreaterThan(256 << 10);
  });
  afterAll(() => labeler?.stop());

  describe.each([
    ["a small image", small],
    ["a large one", large],
  ])("%s", (_, image) => {
    it("has a strong ETag, and when it comes again its answer is found, the same", async () => {
      const first = await post(url, image);
      expect(first.headers.get("cache-control")).toBe("private, no-cache");
      expect(headers(first)).toEqual({
        etag: expect.stringMatching(/^"[\w-]+"$/),
        cache: "edge-labeler; fwd=miss; stored",
      });
      const second = await post(url, image);
      expect(headers(second)).toEqual({ etag: headers(first).etag, cache: "edge-labeler; hit; detail=memory" });
      expect(await labelsOf(second)).toEqual(await labelsOf(first));
    });

    it("is the same in every form: in chunks, in a form, in JSON", async () => {
      const { etag } = headers(await post(url, image));
      const hit = { etag, cache: "edge-labeler; hit; detail=memory" };
      const chunked = { method: "POST", body: new Blob([image]).stream(), duplex: "half" } as RequestInit;
      expect(headers(await fetch(url, chunked))).toEqual(hit);
      const form = new FormData();
      form.set("image", new Blob([image]));
      expect(headers(await post(url, form))).toEqual(hit);
      expect(headers(await post(url, JSON.stringify({ image: Buffer.from(image).toString("base64") })))).toEqual(hit);
    });

    it("is a 304 without a body where the request brings its ETag, among others or as a weak one", async () => {
      const etag = headers(await post(url, image)).etag ?? "";
      for (const tags of [etag, `"other", ${etag}`, `W/${etag}`]) {
        const response = await post(url, image, { "if-none-match": tags });
        expect(response.status).toBe(304);
        expect(response.headers.get("etag")).toBe(etag);
        expect(await response.text()).toBe("");
      }
      for (const tags of ['"other"', etag.slice(1, -1), "*"]) {
        expect((await post(url, image, { "if-none-match": tags })).status).toBe(200);
      }
    });
  });

  it("finds the result of a large image that comes again without decoding it", async () => {
    await post(url, large);
    const again = await post(url, large);
    expect(headers(again).cache).toBe("edge-labeler; hit; detail=memory");
    expect(again.headers.get("server-timing") ?? "").not.toMatch(/decode|infer/);
  });

  it("does not mistake an image for one with the same size and beginning", async () => {
    const [one, other] = [1, 2].map((last) => new Uint8Array([...large, last]));
    const first = headers(await post(url, one));
    const second = headers(await post(url, other));
    expect(second).toEqual({ etag: expect.any(String), cache: "edge-labeler; fwd=miss; stored" });
    expect(second.etag).not.toBe(first.etag);
  });

  // To wrangler each start is another deployment, whose answers may be others.
  it.runIf(runtime === "workerd")("a 304 needs no cached result: the ETag suffices", async () => {
    const query = "?top=17";
    const etag = headers(await post(url + query, small)).etag ?? "";
    const other = await start();
    try {
      const response = await post(`${other.url}/label${query}`, small, { "if-none-match": etag });
      expect(response.status).toBe(304);
    } finally {
      await other.stop();
    }
  });

  it("another image, model or parameter has another ETag, and so has the answer as text", async () => {
    const etags = await Promise.all([
      ...["", "?top=3", "?min=0.1", "?crop=center", "?exif=ignore", "?model=mobilenet_quant_v1_224"].map(
        async (query) => headers(await post(url + query, small)).etag,
      ),
      post(url, small, { accept: "text/plain" }).then((response) => headers(response).etag),
      post(url, large).then((response) => headers(response).etag),
      post(url, new Blob([small, "x"])).then((response) => headers(response).etag),
    ]);
    expect(etags).not.toContain(null);
    expect(new Set(etags).size).toBe(9);
  });

  it("what a parameter is by default has the ETag that it has when it is given", async () => {
    const { etag } = headers(await post(url, small));
    const given = await post(`${url}?top=5&min=0&model=mobilenet_v1_1.0_224&crop=squash&exif=apply`, small);
    expect(headers(given)).toEqual({ etag, cache: "edge-labeler; hit; detail=memory" });
  });

  it("a truncated image is told so when it is found again, and a broken one is refused again", async () => {
    const cut = large.subarray(0, 400_000);
    const missing = (await post(url, cut)).headers.get("x-image-missing");
    const again = await post(url, cut);
    expect(headers(again).cache).toMatch(/hit/);
    expect(again.headers.get("x-image-missing")).toBe(missing);
    for (let i = 0; i < 2; i++) {
      const broken = await post(url, large.subarray(0, 100));
      expect([broken.status, headers(broken)]).toEqual([422, { etag: null, cache: null }]);
    }
  });

  it("an image with much behind its end is labelled without waiting for that, and has no ETag", async () => {
    const padded = new Blob([large, new Uint8Array(1_000_000)]);
    const response = await post(url, padded);
    expect(headers(response)).toEqual({ etag: null, cache: "edge-labeler; fwd=bypass" });
    expect((await labelsOf(response))[0].label).toBe("968:espresso");
    expect(headers(await post(url, new Blob([large, new Uint8Array(1000)]))).etag).not.toBeNull();
  });
});
