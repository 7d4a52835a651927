/** Runs what ekuiper/relay ships, with only addresses and folders changed: nginx, mosquitto and the MQTT forwarder. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "../system/ports.ts";

const folder = fileURLToPath(new URL("../../ekuiper/relay/", import.meta.url));
const shipped = (name: string) => readFile(join(folder, name), "utf8");

export interface RunningRelay {
  /** The address for clients. */
  readonly url: string;
  readonly pid: number;
  log(): string;
  /** Sends SIGKILL, as a power cut would; files stay. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, at the same address. */
  restart(): Promise<void>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** The path of a program; undefined if it is not installed. Debian keeps servers out of a user's PATH. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((path) => join(path, name)).find((path) => existsSync(path));
}

/** Replaces an address of the shipped file by one of this machine. */
function replace(text: string, pattern: string, by: string): string {
  if (!text.includes(pattern)) throw new Error(`ekuiper/relay has no "${pattern}" any more`);
  return text.replaceAll(pattern, by);
}

/** Runs nginx on a free port with a shipped file whose addresses `edit` has replaced. */
async function startNginx(name: string, edit: (text: string) => string): Promise<RunningRelay> {
  const program = findProgram("nginx");
  if (program === undefined) throw new Error("nginx was not found: apt-get install nginx-light");
  const [port] = await freePorts(1);
  const home = await mkdtemp(join(tmpdir(), "edge-labeler-nginx-"));
  const relay = edit(replace(await shipped(name), "127.0.0.1:8788", `127.0.0.1:${port}`));
  await writeFile(join(home, "relay.conf"), relay);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${join(home, kind)};`,
  );
  // A single process: the tests kill it, and a measurement reads its memory.
  await writeFile(
    join(home, "nginx.conf"),
    `daemon off; master_process off; pid ${join(home, "pid")}; error_log stderr warn;
events {}
http { access_log off; ${temporary.join(" ")} include ${join(home, "relay.conf")}; }
`,
  );
  const args = ["-p", home, "-e", "stderr", "-c", join(home, "nginx.conf")];
  return run({ program, args, home, url: `http://127.0.0.1:${port}`, port });
}

/** Runs ekuiper/relay/nginx.conf in front of the labeler. */
export const startRelay = (labeler: string) =>
  startNginx("nginx.conf", (text) => replace(text, "192.168.1.20:8787", new URL(labeler).host));

/**
 * Runs ekuiper/relay/nginx-tls.conf in front of an https server whose certificate is for `name` and signed by
 * `authority`, a file. A numeric address needs no resolver; nginx compares only names.
 */
export const startTlsRelay = (labeler: string, name: string, authority: string) =>
  startNginx("nginx-tls.conf", (text) => {
    const { host } = new URL(labeler);
    let edited = replace(text, "set $labeler labeler.example.com;", `set $labeler ${host};`);
    edited = replace(edited, "proxy_ssl_name $labeler;", `proxy_ssl_name ${name};`);
    return replace(edited, "/etc/ssl/certs/ca-certificates.crt", authority);
  });

/** A broker that can be reached over TLS, too. */
export interface RunningBroker extends RunningRelay {
  /** For example ssl://127.0.0.1:8883; only with certificates. */
  readonly tlsUrl: string;
}

/**
 * Runs ekuiper/relay/mosquitto.conf on a free port, with its data in a folder of its own.
 *
 * @param certificates Paths of PEM files: the broker's certificate with its chain, and its key.
 */
export async function startMosquitto(certificates?: { chain: string; key: string }): Promise<RunningBroker> {
  const program = findProgram("mosquitto");
  if (program === undefined) throw new Error("mosquitto was not found: apt-get install mosquitto");
  const [port, tlsPort] = await freePorts(2);
  const home = await mkdtemp(join(tmpdir(), "edge-labeler-mosquitto-"));
  const data = join(home, "data");
  await mkdir(data);
  const config = replace(await shipped("mosquitto.conf"), "listener 1883 127.0.0.1", `listener ${port} 127.0.0.1`);
  const user = process.getuid?.() === 0 ? "user root\n" : "";
  const tls =
    certificates === undefined
      ? ""
      : `listener ${tlsPort} 127.0.0.1\ncertfile ${certificates.chain}\nkeyfile ${certificates.key}\n`;
  await writeFile(join(home, "mosquitto.conf"), `${config}\npersistence_location ${data}/\n${user}${tls}`);
  const args = ["-c", join(home, "mosquitto.conf")];
  const running = await run({ program, args, home, url: `tcp://127.0.0.1:${port}`, port });
  return Object.assign(running, { tlsUrl: `ssl://127.0.0.1:${tlsPort}` });
}

/** Runs ekuiper/relay/mqtt_forward.py from broker to labeler, with additional options. */
export async function startForwarder(
  python: string,
  broker: string,
  labeler: string,
  options: readonly string[],
): Promise<RunningRelay> {
  const script = join(folder, "mqtt_forward.py");
  const args = [script, "--broker", broker.replace(/^tcp:/, "mqtt:"), "--labeler", labeler, ...options];
  return run({ program: python, args, url: labeler });
}

interface Program {
  program: string;
  args: string[];
  /** The folder to remove at the end. */
  home?: string;
  url: string;
  /** The port that it listens on, if any. */
  port?: number;
}

async function run({ program, args, home, url, port }: Program): Promise<RunningRelay> {
  let log = "";
  let child: ChildProcess;
  const kill = () => {
    child?.kill("SIGKILL");
    if (home !== undefined) rmSync(home, { recursive: true, force: true });
  };
  const start = async () => {
    child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (log += data));
    for (let attempt = 0; port !== undefined && !(await listens(port)); attempt++) {
      if (child.exitCode !== null || attempt > 200) throw new Error(`${program} does not start:\n${log}`);
      await sleep(25);
    }
  };
  const end = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await ended;
  };
  process.once("exit", kill);
  const stop = async () => {
    await end();
    process.off("exit", kill);
    if (home !== undefined) await rm(home, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    get pid() {
      return child.pid ?? 0;
    },
    log: () => log,
    kill: end,
    restart: start,
    stop,
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** The name of a Python that can run the plugin and the forwarder; undefined if there is none. */
export function findPython(): string | undefined {
  return ["python3", "python"].find((name) => {
    try {
      const isNew = execFileSync(name, ["-c", "import sys; print(sys.version_info >= (3, 7))"], { stdio: "pipe" });
      return isNew.toString().trim() === "True";
    } catch {
      return false;
    }
  });
}
