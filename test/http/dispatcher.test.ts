/** The dispatcher in front of several workers, with a server in the place of a worker: what passes, and what ends with what. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { Dispatcher } from "../../scripts/user/serve/workers/dispatcher.ts";
import { Roster } from "../../scripts/user/serve/workers/roster.ts";

const folder = mkdtempSync(join(tmpdir(), "edge-labeler-dispatcher-"));
const member = { path: join(folder, "worker.sock") };
const roster = new Roster();
const dispatcher = new Dispatcher(roster);
let port: number;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let handler: Handler;
const worker = createServer((...pair) => handler(...pair));
worker.on("checkContinue", (...pair) => handler(...pair));

beforeAll(async () => {
  [port] = await freePorts(1);
  worker.listen(member.path);
  await once(worker, "listening");
  roster.add(member);
  await dispatcher.listen(port, "127.0.0.1");
});
beforeEach(() => roster.note(member, "answers"));
afterAll(async () => {
  await dispatcher.close(0);
  worker.closeAllConnections();
  worker.close();
  rmSync(folder, { recursive: true });
});

const open = (): Socket => connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => undefined);

/** All that comes back for these bytes. */
async function answerTo(text: string, end = false): Promise<string> {
  const socket = open();
  socket.write(text, "latin1");
  if (end) socket.end();
  let answer = "";
  socket.on("data", (data) => (answer += data.toString("latin1")));
  await Promise.race([once(socket, "close"), once(socket, "end")]);
  socket.destroy();
  return answer;
}

/** Answers with what has arrived, as JSON. */
const echo: Handler = async (arrived, response) => {
  let body = "";
  for await (const data of arrived) body += data;
  const { method, url, rawHeaders } = arrived;
  response.end(JSON.stringify({ method, url, rawHeaders, body }));
};

const echoed = (answer: string) => JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));

it("passes on a request as it is, with the client's address and without what is for one connection", async () => {
  handler = echo;
  const head = "PUT /a%20b?c=1 HTTP/1.1\r\nHost: x.y\r\nX-A: 1\r\nx-a: \xe9\r\nX-Edge-Labeler-Peer: spoofed\r\n";
  const answer = await answerTo(`${head}TE: trailers\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok`);
  const { method, url, rawHeaders, body } = echoed(answer);
  expect([method, url, body]).toEqual(["PUT", "/a%20b?c=1", "ok"]);
  expect(rawHeaders.slice(0, 8)).toEqual(["Host", "x.y", "X-A", "1", "x-a", "\xc3\xa9", "Content-Length", "2"]);
  expect(rawHeaders[8]).toBe("x-edge-labeler-peer");
  expect(rawHeaders[9]).toMatch(/^\{"clientIp":"127\.0\.0\.1:\d+"\}$/);
  expect(rawHeaders).not.toContain("TE");
});

it("takes no body for another request, whatever Connection names", async () => {
  const seen: string[] = [];
  handler = (arrived, response) => {
    seen.push(`${arrived.url}`);
    void echo(arrived, response);
  };
  const inner = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const names = "Connection: close, content-length, transfer-encoding, x-edge-labeler-peer";
  const answer = await answerTo(
    `GET /outer HTTP/1.1\r\nHost: x\r\n${names}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
  );
  expect(echoed(answer).body).toBe(inner);
  const both = "Content-Length: 4\r\nTransfer-Encoding: chunked";
  expect(await answerTo(`POST /both HTTP/1.1\r\nHost: x\r\n${both}\r\n\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  expect(seen).toEqual(["/outer"]);
});

it("says what is wrong with a request that it cannot read", async () => {
  const answer = await answerTo("GET /gr\xc3\xb6\xc3\x9fe HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/);
  expect(echoed(answer).detail).toMatch(/have to be percent-encoded/);
});

it.each([
  "GARBAGE\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: x\r\nX\x00: 1\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: x\r\nX: \x7f\x01\r\n\r\n",
  `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(200_000)}\r\n\r\n`,
  "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
])("refuses malformed request %# and goes on", async (text) => {
  handler = echo;
  expect(await answerTo(text)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
  expect(echoed(await answerTo("GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).url).toBe("/next");
});

it("lets a worker refuse a body that waits for 100 Continue, or ask for it", async () => {
  handler = (_, response) => response.writeHead(401, { connection: "close" }).end("no");
  const head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n";
  expect(await answerTo(head)).toMatch(/^HTTP\/1\.1 401 /);
  handler = (arrived, response) => {
    response.writeContinue();
    void echo(arrived, response);
  };
  const socket = open();
  socket.write(head);
  const [first] = await once(socket, "data");
  expect(`${first}`).toMatch(/^HTTP\/1\.1 100 Continue\r\n/);
  socket.write("ok");
  const [second] = await once(socket, "data");
  expect(echoed(`${second}`).body).toBe("ok");
  socket.destroy();
});

it("answers a client that has closed its half of the connection", async () => {
  handler = (arrived, response) => void sleep(50).then(() => echo(arrived, response));
  expect(await answerTo("GET /half HTTP/1.1\r\nHost: x\r\n\r\n", true)).toMatch(/"url":"\/half"/);
});

it("holds a client back that sends faster than a worker reads, and tells the worker of a client that has gone", async () => {
  let gone = false;
  const held: IncomingMessage[] = [];
  handler = (arrived) => {
    held.push(arrived);
    arrived.on("error", () => undefined);
    arrived.once("close", () => {
      gone = !arrived.complete;
    });
  };
  const call = request({ port, method: "POST", headers: { "content-length": 64 << 20 } });
  call.on("error", () => undefined);
  let sent = 0;
  const chunk = Buffer.alloc(64 << 10);
  while (sent < 64 << 20) {
    sent += chunk.length;
    if (call.write(chunk)) continue;
    const drained = await Promise.race([once(call, "drain"), sleep(300)]);
    if (drained === undefined) break;
  }
  expect(sent).toBeLessThan(32 << 20);
  call.destroy();
  for (const arrived of held) arrived.resume();
  await expect.poll(() => gone).toBe(true);
});

it("cuts an answer off where the worker does, and answers with a 503 where it ends before", async () => {
  handler = (_, response) => {
    response.writeHead(200, { "content-length": 10 });
    response.write("half", () => response.destroy());
  };
  await expect(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())).rejects.toThrow();
  handler = (arrived) => void arrived.socket.destroy();
  const response = await fetch(`http://127.0.0.1:${port}/ekuiper/labelImage`, { method: "POST", body: "x" });
  expect([response.status, response.headers.get("retry-after"), response.headers.get("content-type")]).toEqual([
    503,
    "1",
    "application/json",
  ]);
  expect(await response.json()).toMatchObject({ type: "urn:edge-labeler:problem:busy", status: 503 });
});

it("waits for a worker where nobody listens, and loses no body", async () => {
  const absent = { path: join(folder, "absent.sock") };
  roster.add(absent);
  roster.note(absent, "answers");
  roster.note(member, "ended");
  handler = echo;
  const answer = fetch(`http://127.0.0.1:${port}/later`, { method: "POST", body: "whole" });
  await sleep(100);
  roster.note(member, "answers");
  expect(await (await answer).json()).toMatchObject({ url: "/later", body: "whole" });
  await roster.retire(absent);
});

it("says once why it closes connections, when no more fit", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const full = new Dispatcher(roster, 1);
  const [other = 0] = await freePorts(1);
  await full.listen(other, "127.0.0.1");
  const sockets = Array.from({ length: 3 }, () => connect(other, "127.0.0.1").on("error", () => undefined));
  await Promise.all(sockets.slice(1).map((socket) => once(socket, "close")));
  expect(said.mock.calls).toEqual([[expect.stringMatching(/^New connections are closed: 1 are open.*ulimit -n/)]]);
  expect(sockets[0]?.destroyed).toBe(false);
  sockets[0]?.destroy();
  await full.close(0);
  said.mockRestore();
});
