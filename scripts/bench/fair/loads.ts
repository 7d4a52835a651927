/** What loads the labeler in npm run bench:fair. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { noisyPhoto } from "../load/photo.ts";
import { call } from "./call.ts";
import { distinctJpeg, photoForm, pngList, smallPhoto } from "./images.ts";

/** What became of a load's own requests. */
export interface Outcome {
  readonly statuses: readonly string[];
  readonly ms: number;
}

export interface Load {
  readonly key: string;
  readonly title: string;
  /** Whether its own requests are work that is to be done, in a time that can be compared. */
  readonly isBulk: boolean;
  /** @param url The labeler's, without a slash at the end. */
  run(url: string): Promise<Outcome>;
}

const BULK = "127.0.1.1";
/** Clients at addresses of their own. */
const client = (i: number) => `127.0.1.${10 + i}`;

async function timed(work: () => Promise<readonly string[]>): Promise<Outcome> {
  const begin = performance.now();
  const statuses = await work();
  return { statuses, ms: performance.now() - begin };
}

/** One request with many images. */
function list(key: string, title: string, make: () => { body: Buffer; contentType: string }): Load {
  const run = (url: string) => {
    const request = make();
    return timed(async () => [(await call(`${url}/label?top=1`, { ...request, from: BULK })).status]);
  };
  return { key, title, isBulk: true, run };
}

const [CLIENTS, UPLOADS_EACH] = [20, 3];

/** Each client sends one photo after the other, and waits as it is told to where the labeler is busy. */
async function upload(url: string, photo: Uint8Array, from: string): Promise<string[]> {
  const statuses: string[] = [];
  for (let left = UPLOADS_EACH; left > 0; ) {
    const { status, retryAfter } = await call(`${url}/label?top=1`, { body: distinctJpeg(photo), from });
    statuses.push(status);
    if (status === "200" || retryAfter === 0) left--;
    else await sleep(retryAfter * 1000);
  }
  return statuses;
}

const largeUploads: Load = {
  key: "c",
  title: `${CLIENTS * UPLOADS_EACH} uploads of 12 MP by ${CLIENTS} clients`,
  isBulk: true,
  async run(url) {
    const photo = await noisyPhoto();
    return timed(async () => {
      const all = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => upload(url, photo, client(i))));
      return all.flat();
    });
  },
};

const SLOW = 8;
/** What a slow upload says that it has, in bytes: more than the labeler takes in before it decodes. */
const DECLARED = 1_000_000;
/** One byte each, in milliseconds. */
const EVERY = 7000;
/** How long they are kept up, in milliseconds. */
const SLOW_FOR = 30_000;

/** @param first How many bytes come at once. @returns Its status, or how it ended. */
function uploadSlowly(url: string, first: number, from: string, until: AbortSignal): Promise<string> {
  const photo = smallPhoto();
  return new Promise((resolve) => {
    const headers = { "content-length": DECLARED };
    const outgoing = request(`${url}/label`, { method: "POST", headers, localAddress: from, agent: false });
    let sent = first;
    const timer = setInterval(() => outgoing.write(photo.subarray(sent, ++sent)), EVERY);
    const end = (how: string) => {
      clearInterval(timer);
      outgoing.destroy();
      resolve(how);
    };
    outgoing.once("response", (response) => {
      response.resume();
      end(`${response.statusCode}`);
    });
    outgoing.once("error", (error: NodeJS.ErrnoException) => end(`failed: ${error.code ?? error.message}`));
    until.addEventListener("abort", () => end("still open"), { once: true });
    outgoing.write(photo.subarray(0, first));
  });
}

const slowUploads = (key: string, first: number): Load => ({
  key,
  title: `${SLOW} uploads of ${first.toLocaleString("en-US")} bytes and then one per ${EVERY / 1000} s`,
  isBulk: false,
  run(url) {
    const until = AbortSignal.timeout(SLOW_FOR);
    // Who is refused comes again.
    const keepUp = async (from: string) => {
      const statuses: string[] = [];
      while (!until.aborted) {
        statuses.push(await uploadSlowly(url, first, from, until));
        await sleep(100);
      }
      return statuses;
    };
    return timed(async () => {
      const all = await Promise.all(Array.from({ length: SLOW }, (_, i) => keepUp(client(i))));
      return all.flat();
    });
  },
});

export const LOADS: readonly Load[] = [
  list("a", "a form of 90 photos", () => photoForm(90)),
  list("b", "a JSON list of 60 large PNGs", () => pngList(60)),
  largeUploads,
  slowUploads("d", 1000),
  slowUploads("d, 70 KB", 70_000),
];
