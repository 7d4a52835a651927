/** The supervisor with a program in place of workerd that answers, and ends on request. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { freePorts } from "../../scripts/system/ports.ts";
import { Supervisor, type SupervisorOptions } from "../../scripts/user/serve/supervisor.ts";
import { hasEnded } from "./serve-process.ts";

const PROGRAM = `#!${process.execPath}
const [host, port] = process.argv.at(-1).replace("http=", "").split(":");
let loads = 0;
require("node:http").createServer((request, response) => {
  if (request.url === "/v2/health/ready") loads++;
  response.end(request.url === "/loads" ? String(loads) : "ok");
  if (request.url === "/crash") process.exit(3);
  if (request.url === "/descriptors") {
    process.stderr.write("*** Uncaught exception ***\\naccept(): Too many ");
    setTimeout(() => { process.stderr.write("open files\\n"); process.exit(1); }, 50);
  }
}).listen(port, host);
`;

let folder: string;
let said: string[];
let pids: number[];
let supervisor: Supervisor | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "edge-labeler-supervisor-"));
  writeFileSync(join(folder, "program.cjs"), PROGRAM, { mode: 0o755 });
});
beforeEach(() => {
  said = [];
  pids = [];
  vi.spyOn(console, "error").mockImplementation((text) => void said.push(`${text}`));
});
afterEach(async () => {
  await supervisor?.end();
  vi.restoreAllMocks();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function supervise(more: Partial<SupervisorOptions> = {}) {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const url = `http://${address}`;
  supervisor = new Supervisor({
    workerd: join(folder, "program.cjs"),
    config: "config",
    address,
    url,
    results: "/results",
    drain: 1000,
    watchdog: 10_000,
    started: (pid) => pids.push(pid),
    ...more,
  });
  const ready = vi.fn();
  const running = supervisor.run(ready);
  running.catch(() => undefined);
  const call = (path: string) => fetch(`${url}${path}`).catch(() => undefined);
  return { supervisor, running, ready, call };
}

it.each([true, false])(
  "has each process load the default model before it counts as answering: %s",
  async (loadsModel) => {
    const { ready, call } = await supervise({ loadsModel });
    const loads = async () => Number(await (await call("/loads"))?.text());
    for (const times of [1, 2]) {
      await expect.poll(() => pids.length).toBe(times);
      if (times === 1) await expect.poll(() => ready.mock.calls.length).toBe(1);
      await expect.poll(loads).toBe(loadsModel ? 1 : 0);
      await call("/crash");
    }
  },
);

it("logs a crash that follows a restart during the back-off, and waits longer each time", async () => {
  const { supervisor, ready, call } = await supervise();
  await expect.poll(() => ready.mock.calls.length).toBe(1);
  for (const wait of ["0.25", "0.5"]) {
    await call("/crash");
    await expect.poll(() => said.at(-1)).toBe(`workerd ended (code 3). It is started again in ${wait} s.`);
    const before = pids.length;
    await supervisor.restart();
    await expect.poll(() => pids.length).toBe(before + 1);
    await expect.poll(() => call("/healthz").then((response) => response?.status)).toBe(200);
  }
  expect(said).toHaveLength(2);
});

it.each<[string, Partial<SupervisorOptions>]>([
  [
    "is told of a process",
    {
      started: (pid) => {
        pids.push(pid);
        throw new Error("a bug");
      },
    },
  ],
  [
    "looks after the results",
    {
      whyRestart: () => {
        throw new Error("a bug");
      },
    },
  ],
])("has ended workerd when it fails itself where it %s", async (_, options) => {
  const { running } = await supervise(options);
  await expect(running).rejects.toThrow("a bug");
  expect(pids.map(hasEnded)).toEqual([true]);
});

it("names the cause that workerd gives in its last words, even in two chunks", async () => {
  const { ready, call } = await supervise();
  await expect.poll(() => ready.mock.calls.length).toBe(1);
  await call("/descriptors");
  await expect
    .poll(() => said.at(-1))
    .toMatch(/^workerd ended \(code 1\)\. It had no file descriptors left, .* It is started again in 0\.25 s\.$/);
});

it("tries again where a process cannot be started any more", async () => {
  let failing = false;
  const { ready, call } = await supervise({
    starting: () => {
      if (failing) throw new Error("EROFS: read-only file system, mkdir '/results'");
    },
  });
  await expect.poll(() => ready.mock.calls.length).toBe(1);
  failing = true;
  await call("/crash");
  await expect.poll(() => said.at(-1)).toMatch(/^workerd ended \(EROFS.*\)\. It is started again in 0\.5 s\.$/);
  failing = false;
  await expect.poll(() => call("/healthz").then((response) => response?.status)).toBe(200);
});
