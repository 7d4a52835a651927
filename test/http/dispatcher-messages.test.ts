/** What the dispatcher makes of HTTP messages: where each ends, which are refused, and that no body becomes part of another. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { Dispatcher } from "../../scripts/user/serve/workers/dispatcher.ts";
import { Roster } from "../../scripts/user/serve/workers/roster.ts";

const folder = mkdtempSync(join(tmpdir(), "edge-labeler-messages-"));
const member = { path: join(folder, "worker.sock") };
const roster = new Roster();
const dispatcher = new Dispatcher(roster);
let port: number;
/** What the worker has seen. */
const seen: string[] = [];

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Reads slowly, so that clients have to be held back, and answers with what has arrived. */
async function answer(arrived: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const data of arrived) {
    chunks.push(data);
    if (chunks.length % 4 === 0) await sleep(1);
  }
  const body = Buffer.concat(chunks);
  seen.push(`${arrived.method} ${arrived.url} ${body.length}`);
  const text = JSON.stringify({ url: arrived.url, digest: sha256(body), length: body.length });
  if (arrived.url === "/chunked") {
    for (const letter of text) response.write(letter);
    response.end();
  } else {
    response.setHeader("content-length", text.length);
    response.end(text);
  }
}

const worker = createServer({ requireHostHeader: false }, (...pair) => void answer(...pair).catch(() => undefined));

beforeAll(async () => {
  [port] = await freePorts(1);
  worker.listen(member.path);
  await once(worker, "listening");
  roster.add(member);
  roster.note(member, "answers");
  await dispatcher.listen(port, "127.0.0.1");
});
afterAll(async () => {
  await dispatcher.close(0);
  worker.closeAllConnections();
  worker.close();
  rmSync(folder, { recursive: true });
});

/** All that comes back for these pieces, which are sent one after the other. */
async function answerTo(...pieces: readonly string[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => undefined);
  let text = "";
  socket.on("data", (data) => (text += data.toString("latin1")));
  const closed = once(socket, "close");
  for (const piece of pieces) {
    if (socket.writable) socket.write(piece, "latin1");
    await sleep(5);
  }
  await closed;
  return text;
}

const HOST = "Host: x\r\n";
const LAST = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;

it.each([
  ["two lengths", `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
  ["a length with a sign", `POST / HTTP/1.1\r\n${HOST}Content-Length: +5\r\n\r\nhello`],
  ["a length with a no-break space", `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\xa0\r\n\r\nhello`],
  ["a list of lengths", `POST / HTTP/1.1\r\n${HOST}Content-Length: 5, 5\r\n\r\nhello`],
  ["length and chunks", `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["another coding", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["two codings", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ["a coding with a no-break space", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n`],
  ["a coding behind a control character", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`],
  ["a space behind a name", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
  ["a folded line", `POST / HTTP/1.1\r\n${HOST}X: 1\r\n Content-Length: 5\r\n\r\nhello`],
  ["a bare line feed", `POST / HTTP/1.1\r\n${HOST}X: 1\nContent-Length: 5\r\n\r\nhello`],
  ["a bare carriage return", `POST / HTTP/1.1\r\n${HOST}X: 1\rContent-Length: 5\r\n\r\nhello`],
  ["a header without a name", `POST / HTTP/1.1\r\n${HOST}: 1\r\n\r\n`],
  ["no host", "GET / HTTP/1.1\r\n\r\n"],
  ["two hosts", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  ["chunks of an old client", `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"],
  ["a space in the URL", `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
])("refuses %s", async (_, text) => {
  seen.length = 0;
  expect(await answerTo(text + SMUGGLED)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*"status":400/s);
  expect(seen).toEqual([]);
});

it.each([
  ["a line feed alone", "5\nhello\r\n0\r\n\r\n"],
  ["a sign", "+5\r\nhello\r\n0\r\n\r\n"],
  ["another notation", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["no size", "\r\nhello\r\n0\r\n\r\n"],
  ["more content than its size", "4\r\nhello\r\n0\r\n\r\n"],
  ["a size without end", "1".repeat(2000)],
  ["a trailer that is none", "0\r\nx\r\n\r\n"],
  ["endless trailers", `0\r\n${"x: 1\r\n".repeat(2000)}`],
])("refuses a chunk with %s, at once or byte by byte", async (_, chunks) => {
  seen.length = 0;
  const head = `POST /chunks HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
  expect(await answerTo(head + chunks + SMUGGLED)).toMatch(/^HTTP\/1\.1 400 /);
  // Byte by byte, the worker may be the one who finds it first.
  if (chunks.length < 50) expect(await answerTo(head, ...chunks, SMUGGLED)).toMatch(/^HTTP\/1\.1 (400|503) /);
  expect(seen).toEqual([]);
});

const requests = [
  `POST /one HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
  `POST /two HTTP/1.1\r\n${HOST}Transfer-Encoding: Chunked\r\n\r\n3;a="b"\r\nhel\r\n2\r\nlo\r\n0\r\nX-Y: z\r\n\r\n`,
  `\r\nPOST /chunked HTTP/1.1\r\n${HOST}Content-Length: 0000\r\n\r\n`,
  LAST,
];

it.each([
  ["at once", [requests.join("")]],
  ["in pieces", requests.join("").match(/.{1,7}/gs) ?? []],
])("answers requests on one connection in their order, which come %s", async (_, pieces) => {
  seen.length = 0;
  const text = await answerTo(...pieces);
  expect(seen).toEqual(["POST /one 5", "POST /two 5", "POST /chunked 0", "GET /last 0"]);
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(4);
  expect(text.match(/Connection: (\S+)/g)).toEqual([...Array(3).fill("Connection: keep-alive"), "Connection: close"]);
});

it("unpacks chunks for a client of HTTP/1.0, and closes behind them", async () => {
  const [head, body] = (await answerTo(`GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`)).split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(head).not.toMatch(/Transfer-Encoding/i);
  expect(head).toMatch(/Connection: close/);
  expect(JSON.parse(body)).toMatchObject({ url: "/chunked", length: 0 });
  const [first, second] = (
    await answerTo("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
  ).split(/(?<=\})(?=HTTP)/);
  expect(first).toMatch(/Connection: keep-alive.*"\/1"/s);
  expect(second).toMatch(/Connection: close.*"\/2"/s);
});

it("gives each worker the body of its own client, while many send at once to workers that are slow", async () => {
  const agent = new Agent({ keepAlive: true });
  const send = (at: number) =>
    new Promise<string>((resolve, reject) => {
      const body = randomBytes(1 + (at % 3) * 400_000 + at);
      const length = at % 2 === 0 ? { "content-length": body.length } : {};
      const call = request({ port, method: "POST", path: `/${at}`, headers: length, agent }, (response) => {
        let text = "";
        response.on("data", (data) => (text += data));
        response.on("end", () => {
          const { url, digest } = JSON.parse(text);
          resolve(url === `/${at}` && digest === sha256(body) ? "same" : text);
        });
      });
      call.on("error", reject);
      for (let i = 0; i < body.length; i += 50_001) call.write(body.subarray(i, i + 50_001));
      call.end();
    });
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all(Array.from({ length: 24 }, (_, i) => send(24 * round + i)));
    expect(all.filter((each) => each !== "same")).toEqual([]);
  }
  agent.destroy();
});
