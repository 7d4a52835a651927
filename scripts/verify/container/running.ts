/** Runs a built image as an engine would, as far as a chroot goes, in a network of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { BUILDAH, buildah, inspectImage } from "./buildah.ts";

const TOKEN = "a-token-of-the-container";
const USER = 1000;
const DEADLINE = 120_000;

/** Folders that an engine mounts, and the volumes. */
const MOUNTED =
  /^(proc|sys|dev|run|tmp|var\/lib\/edge-labeler\/(state|models)|etc\/(hosts|hostname|resolv\.conf))(\/|$)/;

/** Each file of a root file system with its size and time. */
function snapshot(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const enter = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (MOUNTED.test(path)) continue;
      const { size, mtimeMs } = lstatSync(join(root, path));
      if (entry.isDirectory()) enter(path);
      else found.set(path, `${size} ${mtimeMs}`);
    }
  };
  enter("");
  return found;
}

/** The labeler's own programs. */
const LABELER = /\/(node|workerd)$/;

interface Process {
  readonly pid: number;
  /** The path of its program. */
  readonly program: string;
  /** Its user. */
  readonly uid: number;
}

/** The processes of the labeler below another process. */
function labelersBelow(ancestor: number): Process[] {
  const parents = new Map<number, number>();
  const labelers: Process[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
      const program = readlinkSync(`/proc/${name}/exe`);
      if (LABELER.test(program)) labelers.push({ pid: Number(name), program, uid: statSync(`/proc/${name}`).uid });
    } catch {
      // It has ended.
    }
  }
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === ancestor || isBelow(parents.get(pid)));
  return labelers.filter(({ pid }) => isBelow(pid));
}

/** A shell in a network without others, in which programs run one after the other. */
class Network {
  readonly #shell = spawn("unshare", ["--net", "sh"], { stdio: ["pipe", "pipe", "inherit"] });
  #output = "";

  constructor() {
    this.#shell.stdout.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
  }

  /** Runs a program behind the others. @returns Its exit code and output. */
  async run(command: readonly string[]): Promise<{ code: number; out: string }> {
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    this.#output = "";
    this.#shell.stdin.write(`${quoted} </dev/null 2>&1; echo "ended: $?"\n`);
    const end = performance.now() + DEADLINE;
    for (;;) {
      const [all, code] = /ended: (\d+)\n$/.exec(this.#output) ?? [];
      if (all !== undefined) return { code: Number(code), out: this.#output.slice(0, -all.length) };
      if (performance.now() > end) throw new Error(`${quoted} does not end: ${this.#output}`);
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }

  /** Runs a program beside the others. @param log The file of its output. */
  start(command: readonly string[], log: string): void {
    const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    this.#shell.stdin.write(`${quoted} </dev/null >'${log}' 2>&1 &\n`);
  }

  /** The labeler's processes in it. */
  labelers(): Process[] {
    return labelersBelow(this.#shell.pid ?? 0);
  }

  close(): void {
    this.#shell.stdin.end();
  }
}

/** @throws Error if the image does not serve as its user, is not healthy, or writes outside of its volumes. */
export async function checkRun(image: string): Promise<void> {
  const { config } = inspectImage(image);
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-container-"));
  const container = buildah("from", "--pull-never", image);
  const network = new Network();
  try {
    const secret = join(folder, "token");
    writeFileSync(secret, `${TOKEN}\n`);
    const options = ["--isolation", "chroot", "--volume", `${secret}:/run/labeler-token:ro`];
    const environment = ["--env", "LABELER_TOKEN_FILE=/run/labeler-token"];
    const inside = (...command: string[]) => [
      ...BUILDAH,
      "run",
      ...options,
      ...environment,
      container,
      "--",
      ...command,
    ];
    const root = buildah("mount", container);
    const before = snapshot(root);

    await network.run(["ip", "link", "set", "lo", "up"]);
    const log = join(folder, "log");
    network.start(inside(...config.Entrypoint, ...config.Cmd), log);
    const healthy = inside(...(config.Healthcheck?.Test.slice(1) ?? []));
    const end = performance.now() + DEADLINE;
    while ((await network.run(healthy)).code !== 0) {
      assert.ok(performance.now() < end, `It does not become healthy: ${readFileSync(log, "utf8")}`);
    }

    const curl = ["curl", "--silent", "--data-binary", `@${resolve("test/fixtures/coffee.png")}`];
    const url = "http://127.0.0.1:8787/label?top=1";
    const labelled = await network.run([...curl, "--header", `Authorization: Bearer ${TOKEN}`, url]);
    assert.match(labelled.out, /"label":"968:espresso"/);
    assert.match((await network.run([...curl, url])).out, /"status":401/);
    const listed = await network.run(inside("edge-labeler", "model", "list"));
    assert.match(listed.out, /mobilenet_v1_1\.0_224/);

    const processes = network.labelers();
    assert.ok(processes.length >= 2, "Supervisor and workerd were not found.");
    for (const { uid } of processes) assert.equal(uid, USER, "A process runs as another user.");
    for (const { pid, program } of processes) if (program.endsWith("/node")) process.kill(pid, "SIGTERM");
    while (network.labelers().length > 0) await new Promise((wake) => setTimeout(wake, 50));

    const after = snapshot(root);
    const changed = [...after].filter(([path, state]) => before.get(path) !== state).map(([path]) => path);
    assert.deepEqual(changed, [], "It wrote outside of its volumes.");
  } finally {
    for (const { pid } of network.labelers()) process.kill(pid, "SIGKILL");
    network.close();
    buildah("rm", container);
    rmSync(folder, { recursive: true });
  }
}
