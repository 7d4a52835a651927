/** Submits images and reads their labels back, on workerd itself and in wrangler dev. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningLabeler } from "../../scripts/labeler/labeler.ts";
import { startWorkerd } from "../../scripts/labeler/workerd.ts";
import { expectProblem, fixture, post } from "./client.ts";
import { RUNTIMES } from "./runtimes.ts";
import { tinyModels } from "./tiny-model.ts";

interface Row {
  next: string;
  id: string;
  time: string;
  device: string | null;
  model: string;
  label: string;
  confidence: number;
  results: { confidence: number; label: string }[];
  error?: string;
  meta: Record<string, string>;
}

const coffee = fixture("coffee.png");
const TOKEN = "s3cret";
const authorized = { authorization: `Bearer ${TOKEN}` };

describe.each(RUNTIMES)("on %s", (_, start) => {
  let labeler: RunningLabeler;
  let url: string;
  beforeAll(async () => {
    labeler = await start({ settings: { LABELER_TOKEN: TOKEN, MAX_BODY_BYTES: "1000000" } });
    ({ url } = labeler);
  });
  afterAll(() => labeler?.stop());

  async function sink(query: string, body: BodyInit = coffee, headers: Record<string, string> = {}): Promise<void> {
    const response = await post(`${url}/ekuiper/sink${query}`, body, { ...authorized, ...headers });
    expect([response.status, await response.text()]).toEqual([204, ""]);
  }

  const get = (path: string) => fetch(`${url}${path}`, { headers: authorized });

  async function rows(query: string): Promise<Row[]> {
    const response = await get(`/results${query}`);
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return JSON.parse(text);
  }

  async function row(id: string): Promise<Row> {
    const response = await get(`/results/${encodeURIComponent(id)}`);
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return JSON.parse(text);
  }

  it("keeps the labels with what the sender says in headers", async () => {
    await sink("?top=2", coffee, {
      "X-Image-Id": "by-header",
      "X-Device": "camera 7",
      "X-Time": "2026-11-24T12:00:00+01:00",
      "X-Meta-Line": "3",
    });
    const { results: labels, next, confidence, ...rest } = await row("by-header");
    expect(rest).toEqual({
      id: "by-header",
      time: "2026-11-24T11:00:00.000Z",
      device: "camera 7",
      model: "mobilenet_v1_1.0_224",
      label: "968:espresso",
      meta: { line: "3" },
    });
    expect(labels).toHaveLength(2);
    expect(labels[0]).toEqual({ label: "968:espresso", confidence });
    expect(confidence).toBeCloseTo(0.99454, 4);
    expect(next).toMatch(/^r\d+$/);
  });

  it.each([
    ["id", "?id=one", { "X-Image-Id": "another" }],
    ["device", "?id=contradiction&device=north", { "X-Device": "south" }],
    ["time", "?id=contradiction&time=1764000000000", { "X-Time": "1764000000001" }],
    ["meta-line", "?id=contradiction&meta-line=3", { "X-Meta-Line": "4" }],
  ])("refuses a %s that differs in parameter and header, and keeps nothing", async (name, query, headers) => {
    const response = await post(`${url}/ekuiper/sink${query}`, coffee, { ...authorized, ...headers });
    expect(response.status).toBe(400);
    expect((await response.json()).detail).toMatch(new RegExp(`^${name} is .*, but the header X-`, "i"));
    for (const id of ["one", "another", "contradiction"]) expect((await get(`/results/${id}`)).status).toBe(404);
  });

  it("takes the same value in parameter and header", async () => {
    await sink("?id=agreed&meta-line=3", coffee, { "X-Image-Id": "agreed", "X-Meta-Line": "3" });
    expect((await row("agreed")).meta).toEqual({ line: "3" });
  });

  it("keeps them with what the sender says in the query", async () => {
    const query = new URLSearchParams({ id: "Käfer/1", device: "küche", time: "1700000000000", "meta-Raum": "é" });
    await sink(`?${query}`);
    expect(await row("Käfer/1")).toMatchObject({
      device: "küche",
      time: "2023-11-14T22:13:20.000Z",
      meta: { Raum: "é" },
      label: "968:espresso",
    });
  });

  it.each([
    ["1764000000000", "2025-11-24T16:00:00.000Z"],
    ["1.764000000123e+12", "2025-11-24T16:00:00.123Z"],
    ["2025-11-24", "2025-11-24T00:00:00.000Z"],
  ])("reads the time %s", async (time, iso) => {
    await sink(`?id=${encodeURIComponent(`at ${time}`)}&time=${encodeURIComponent(time)}`, "no image");
    expect((await row(`at ${time}`)).time).toBe(iso);
  });

  it("reads headers as UTF-8, as eKuiper sends them", async () => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const lines = ["POST /ekuiper/sink HTTP/1.1", "Host: x", `Authorization: Bearer ${TOKEN}`, "Connection: close"];
    socket.end([...lines, "X-Image-Id: bytes", "X-Device: küche", "Content-Length: 1", "", "x"].join("\r\n"), "utf8");
    let answer = "";
    for await (const data of socket) answer += data;
    expect(answer).toMatch(/^HTTP\/1.1 204/);
    expect((await row("bytes")).device).toBe("küche");
  });

  it("takes the digest of the image as its id, and now as its time, where none is given", async () => {
    const sha256 = createHash("sha256").update(coffee).digest("hex");
    const before = Date.now();
    await sink("", coffee, { "X-Image-Id": "<no value>" }); // what eKuiper makes of a field that is not there
    await sink("", JSON.stringify({ image: Buffer.from(coffee).toString("base64") }));
    const found = await row(sha256);
    expect(found).toMatchObject({ label: "968:espresso", device: null, meta: {} });
    expect(Date.parse(found.time)).toBeGreaterThanOrEqual(before);
    expect((await rows("")).filter(({ id }) => id === sha256)).toHaveLength(1);
  });

  it("keeps a field of any name that is allowed", async () => {
    await sink("?id=odd-names&meta-__proto__=a&meta-constructor=b");
    expect(Object.entries((await row("odd-names")).meta)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
  });

  it("keeps the first result of an id, and does not look at the image of a second", async () => {
    await sink("?id=twice&device=first");
    await sink("?id=twice&device=second", "no image at all");
    expect(await row("twice")).toMatchObject({ device: "first", label: "968:espresso" });
    expect((await rows("")).filter(({ id }) => id === "twice")).toHaveLength(1);
  });

  it("keeps one result of an id that comes many times at once", async () => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => sink(`?id=at-once&device=d${i}`)));
    expect((await rows("")).filter(({ id }) => id === "at-once")).toHaveLength(1);
  });

  it.each([
    ["a text", "hello", /PNG/],
    ["a broken image", coffee.subarray(0, 100), /ends before its first row/],
    ["nothing", "", /empty/],
    ["too large a body", new Uint8Array(1_000_001), /MAX_BODY_BYTES/],
  ])("an image that cannot be read is kept with the reason: %s", async (name, body, reason) => {
    await sink(`?id=${encodeURIComponent(name)}`, body);
    expect(await row(name)).toMatchObject({
      results: [],
      label: "",
      confidence: 0,
      error: expect.stringMatching(reason),
    });
  });

  it("unreadable images without an id are kept each", async () => {
    const [last] = await rows("?order=newest&limit=1");
    await sink("", "");
    await sink("", "");
    await sink("", "hello");
    await sink("", "hello"); // the same bytes again
    expect(await rows(`?since=${last.next}`)).toHaveLength(3);
  });

  it("an image whose file ends early is kept with its labels and what is missing", async () => {
    await sink("?id=early", coffee.subarray(0, 400_000));
    expect(await row("early")).toMatchObject({ label: "968:espresso", error: expect.stringMatching(/ends early/) });
  });

  it("a sender that dies within an image leaves nothing", async () => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => socket.once("connect", resolve));
    const head = `POST /ekuiper/sink?id=died HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: ${coffee.length}\r\n\r\n`;
    socket.write(head);
    socket.write(coffee.subarray(0, 300_000));
    await new Promise((wake) => setTimeout(wake, 200));
    socket.destroy();
    await new Promise((wake) => setTimeout(wake, 300));
    expect((await get("/results/died")).status).toBe(404);
    await sink("?id=died");
    expect(await row("died")).toMatchObject({ label: "968:espresso" });
  });

  it("is read page by page, oldest first, from one cursor to the next", async () => {
    const all = await rows("?limit=1000");
    const paged: Row[] = [];
    for (let since = "0"; ; ) {
      const page = await rows(`?since=${since}&limit=3`);
      if (page.length === 0) break;
      expect(page.length).toBeLessThanOrEqual(3);
      paged.push(...page);
      since = page[page.length - 1].next;
    }
    expect(paged).toEqual(all);
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(["by-header", "twice", "at-once"]));
    expect(await rows("?since=r999999999&limit=3")).toEqual([]);
  });

  it("is read newest first, for people", async () => {
    const all = await rows("?limit=1000");
    const newest = await rows("?order=newest&limit=4");
    expect(newest).toEqual(all.slice(-4).reverse());
    expect(await rows(`?order=newest&limit=2&before=${newest[3].next}`)).toEqual(all.slice(-6, -4).reverse());
  });

  it("is read of one device", async () => {
    await sink("?id=d1&device=left");
    await sink("?id=d2&device=right");
    await sink("?id=d3&device=left");
    const left = await rows("?device=left");
    expect(left.map(({ id }) => id)).toEqual(["d1", "d3"]);
    expect((await rows(`?device=left&since=${left[0].next}`)).map(({ id }) => id)).toEqual(["d3"]);
    expect(await rows("?device=nobody")).toEqual([]);
  });

  it("labelOf finds a result by its id, and says so where there is none", async () => {
    const labelOf = async (id: string) => {
      const response = await post(`${url}/ekuiper/labelOf`, id, authorized);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toMatch(/^application\/json/);
      return response.json();
    };
    expect(await labelOf("by-header")).toMatchObject({
      found: true,
      label: "968:espresso",
      confidence: expect.closeTo(0.99454, 4),
      time: "2026-11-24T11:00:00.000Z",
      device: "camera 7",
    });
    const none = { found: false, label: "", confidence: 0, time: "", device: "", error: "" };
    expect(await labelOf("nowhere")).toEqual(none);
    expect(await labelOf("")).toEqual(none);
    expect(await labelOf("x".repeat(10_000))).toEqual(none);
  });

  describe("erases", () => {
    const remove = (path: string) => fetch(`${url}${path}`, { method: "DELETE", headers: authorized });
    const erased = async (path: string) => {
      const response = await remove(path);
      expect(response.status).toBe(200);
      return response.json();
    };

    it("one result, whose id may then be used again", async () => {
      await sink("?id=Fehler/1", "no image");
      const { next } = await row("Fehler/1");
      expect(await erased("/results/Fehler%2F1")).toEqual({ erased: 1 });
      await expectProblem(await get("/results/Fehler%2F1"), 404, "not-found", /no result "Fehler\/1"/);
      await expectProblem(await remove("/results/Fehler%2F1"), 404, "not-found", /no result "Fehler\/1"/);
      await sink("?id=Fehler/1");
      const again = await row("Fehler/1");
      expect(again.label).toBe("968:espresso");
      // A reader that has been given the cursor of the erased row still receives what is stored after it.
      expect(again.next).not.toBe(next);
      expect(await rows(`?since=${next}`)).toEqual([again]);
    });

    it("those of a device, and those before a time or a row, and no others", async () => {
      const times = ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z"];
      for (const device of ["hall", "yard"]) {
        for (const [i, time] of times.entries()) await sink(`?id=${device}-${i}&device=${device}&time=${time}`, "");
      }
      const left = async () =>
        (await rows("?limit=1000")).map(({ id }) => id).filter((id) => /^(hall|yard)-\d$/.test(id));
      expect(await erased("/results?device=hall&before=2020-01-02")).toEqual({ erased: 1 });
      expect(await left()).toEqual(["hall-1", "hall-2", "yard-0", "yard-1", "yard-2"]);
      expect(await erased("/results?before=2020-01-02T01:00:00%2B01:00")).toEqual({ erased: 1 });
      expect(await left()).toEqual(["hall-1", "hall-2", "yard-1", "yard-2"]);
      expect(await erased(`/results?device=yard&before=${(await row("yard-2")).next}`)).toEqual({ erased: 1 });
      expect(await left()).toEqual(["hall-1", "hall-2", "yard-2"]);
      expect(await erased("/results?device=hall")).toEqual({ erased: 2 });
      expect(await erased("/results?device=hall")).toEqual({ erased: 0 });
      expect(await left()).toEqual(["yard-2"]);
    });

    it.each([
      ["", /Select what to erase by device, before, or both/],
      ["?device=", /device: must not be empty/],
      ["?before=2020", /before: must be a time such as/],
      ["?before=2020-13-01", /before: must be a time/],
      ["?before=17", /before: must be a time .* or the `next` of a row/],
      ["?since=r1", /no parameter since\. There are: device, before/],
      ["?device=a&device=b", /device is given 2 times/],
    ])("nothing with /results%s", async (query, detail) => {
      const before = await rows("?limit=1000");
      await expectProblem(await remove(`/results${query}`), 400, "bad-parameter", detail);
      expect(await rows("?limit=1000")).toEqual(before);
    });
  });

  it("needs the token", async () => {
    const calls = [
      post(`${url}/ekuiper/sink?id=nobody`, coffee),
      post(`${url}/ekuiper/labelOf`, "by-header"),
      fetch(`${url}/results`),
      fetch(`${url}/results/by-header`),
      fetch(`${url}/push`),
    ];
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect((await get("/results/nobody")).status).toBe(404);
  });

  it("says what is wrong with a call", async () => {
    await expectProblem(await get("/results/unknown"), 404, "not-found", /no result "unknown"/);
    await expectProblem(await get("/results?since=2.000001e%2B06"), 400, "bad-parameter", /since.*`next`/);
    await expectProblem(await get("/results?limit=1001"), 400, "bad-parameter", /limit: must be at most 1000/);
    await expectProblem(await get("/results?limit=0"), 400, "bad-parameter", /at least 1/);
    await expectProblem(await get("/results?order=up"), 400, "bad-parameter", /order/);
    await expectProblem(await get("/results?devise=x"), 400, "bad-parameter", /There are: since, before/);
    for (const name of ["since", "before", "limit", "device", "order"]) {
      const doubled = await get(`/results?${name}=1&${name}=1`);
      await expectProblem(doubled, 400, "bad-parameter", new RegExp(`${name} is given 2 times; give it once`));
    }
    for (const name of ["__proto__", "constructor", "toString"]) {
      const unknown = new RegExp(`no parameter ${name}\\. There are: since`);
      await expectProblem(await get(`/results?${name}=1`), 400, "bad-parameter", unknown);
    }
  });

  it.each([
    ["too long an id", `?id=${"x".repeat(129)}`, 400, /id has 129 characters; 128/],
    ["a control character", "?id=a%00b", 400, /control character/],
    ["an id that is a template", "?id={{.id}}", 400, /id is "{{\.id}}": eKuiper left this template unfilled/],
    ["a time that is one", "?time={{.time}}", 400, /time is "{{\.time}}": .*urlquery/],
    ["a device that is one", "?device=cam-{{.device}}", 400, /device is "cam-{{\.device}}": /],
    ["another field that is one", "?meta-line={{%20.line%20}}", 400, /meta-line is "{{ \.line }}": /],
    ["no time", "?id=a&time=yesterday", 400, /ISO 8601.*yesterday/],
    ["a time in microseconds", "?id=a&time=1764000000000000", 400, /milliseconds.*1764000000000000/],
    [
      "too many fields",
      `?${Array.from({ length: 17 }, (_, i) => `meta-f${i}=1`).join("&")}`,
      400,
      /17 meta fields; 16/,
    ],
    ["too long a field", `?meta-a=${"x".repeat(513)}`, 400, /meta-a has 513 characters/],
    ["a field without a name", "?meta-=1", 400, /meta-NAME/],
    ["an unknown parameter", "?id=a&topp=1", 400, /topp/],
    ["an unknown model", "?id=a&model=resnet", 404, /resnet/],
  ])("refuses what is the rule's fault: %s", async (_, query, status, detail) => {
    const response = await post(`${url}/ekuiper/sink${query}`, coffee, authorized);
    expect(response.status).toBe(status);
    expect((await response.json()).detail).toMatch(detail);
    expect((await get("/results/a")).status).toBe(404);
  });
});

it("what was acknowledged is on disk, whenever the process is killed", async () => {
  const state = mkdtempSync(join(tmpdir(), "edge-labeler-state-"));
  const models = tinyModels(); // the images cannot be read
  const acknowledged: string[] = [];
  /** Sends one after the other until nobody answers any more. */
  const send = async (base: string, client: string) => {
    for (let i = 0; ; i++) {
      const id = `${client}-${i}`;
      const response = await post(`${base}/ekuiper/sink?id=${id}`, "no image").catch(() => undefined);
      if (response === undefined) return;
      expect(response.status).toBe(204);
      acknowledged.push(id);
    }
  };
  try {
    for (let round = 0; round < 6; round++) {
      const { url, stop } = await startWorkerd({ state, models, settings: { DEFAULT_MODEL: "tiny" } });
      try {
        const found: Row[] = await (await fetch(`${url}/results?limit=1000&order=newest`)).json();
        const ids = new Set(found.map(({ id }) => id));
        expect(acknowledged.slice(-500).filter((id) => !ids.has(id))).toEqual([]);
        const clients = [0, 1, 2, 3].map((client) => send(url, `${round}-${client}`));
        const before = acknowledged.length;
        await expect.poll(() => acknowledged.length, { interval: 5 }).toBeGreaterThan(before + 20);
        await new Promise((wake) => setTimeout(wake, 50 * Math.random()));
        await stop(); // SIGKILL
        await Promise.all(clients);
      } finally {
        await stop();
      }
    }
    expect(acknowledged.length).toBeGreaterThan(100);
  } finally {
    for (const folder of [state, models]) rmSync(folder, { recursive: true });
  }
});
