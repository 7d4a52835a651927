/** nginx as operations/nginx has it: TLS in front of the labeler, large uploads, the address of the client, its page. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorkerd, startWorkerd } from "../../scripts/labeler/workerd.ts";
import { freePorts } from "../../scripts/system/ports.ts";
import { makeCertificates } from "../ekuiper/certificates.ts";
import { fixture } from "../http/client.ts";
import { edit, lacks, listens, type Server, startServer } from "./programs.ts";

const NAME = "labeler.example.org";
const skip = lacks("nginx", "openssl");

/** A black BMP: as large as its pixels. */
function bmp(width: number, height: number): Buffer {
  const file = Buffer.alloc(54 + 3 * width * height);
  file.write("BM");
  file.writeUInt32LE(file.length, 2);
  for (const [value, at] of [
    [54, 10],
    [40, 14],
    [width, 18],
    [height, 22],
  ] as const)
    file.writeUInt32LE(value, at);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  return file;
}

describe.skipIf(skip)("nginx with TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-nginx-"));
  let labeler: RunningWorkerd;
  let nginx: Server;
  let port: number;
  let ca: Buffer;

  beforeAll(async () => {
    // No token, so that the name has to be allowed; what docs/how-to/operate.md names besides.
    const settings = { ALLOWED_HOSTS: NAME, ADDRESS_HEADER: "x-real-ip", RATE_LIMIT: "20/h burst 20" };
    labeler = await startWorkerd({ settings });
    const [free = 0] = await freePorts(1);
    port = free;
    const { chain, key, root } = makeCertificates(folder);
    ca = readFileSync(root);
    const shipped = readFileSync("operations/nginx/edge-labeler.conf", "utf8");
    const changed = edit(shipped, {
      "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
      "    listen [::]:443 ssl;\n": "",
      "/etc/ssl/certs/labeler.pem": chain,
      "/etc/ssl/private/labeler.key": key,
      "127.0.0.1:8787": new URL(labeler.url).host,
    });
    writeFileSync(join(folder, "site.conf"), changed);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `${kind}_temp_path ${join(folder, kind)};`,
    );
    const main = `daemon off; master_process off; pid ${join(folder, "pid")}; error_log stderr warn;
events {}
http { access_log off; ${temporary.join(" ")} include ${join(folder, "site.conf")}; }
`;
    writeFileSync(join(folder, "nginx.conf"), main);
    nginx = startServer("nginx", ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")]);
    await listens(port, nginx);
  });

  afterAll(async () => {
    await nginx?.stop();
    await labeler?.stop();
    rmSync(folder, { recursive: true });
  });

  function call(
    method: string,
    path: string,
    body?: Uint8Array,
    { headers = {}, ...options }: RequestOptions = {},
  ): Promise<{ status: number | undefined; text: string }> {
    const all = { host: NAME, ...headers, ...(body && { "content-length": body.length }) };
    // The certificate is for the address.
    const to = {
      host: "127.0.0.1",
      servername: "localhost",
      port,
      ca,
      method,
      path,
      headers: all,
      agent: false as const,
    };
    return new Promise((resolve, reject) => {
      const asked = request({ ...to, ...options }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (data) => (text += data));
        response.on("end", () => resolve({ status: response.statusCode, text }));
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }

  it("labels, also for the labeler's own page", async () => {
    const body = fixture("coffee-96.webp");
    const first = await call("POST", "/label?top=1", body);
    expect(first).toMatchObject({ status: 200, text: expect.stringContaining("968:espresso") });
    const page = { origin: `https://${NAME}`, "sec-fetch-site": "same-origin" };
    expect(await call("POST", "/label?top=1", body, { headers: page })).toEqual(first);
    const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect(await call("POST", "/label", body, { headers: foreign })).toMatchObject({ status: 403 });
    expect(await call("POST", "/label", body, { headers: { host: "evil.example" } })).toMatchObject({ status: 403 });
  });

  it("passes an image of 60 MB on, and lets the labeler say what is too large", async () => {
    expect(await call("POST", "/label?top=1", bmp(5000, 4000))).toMatchObject({ status: 200 });
    const refused = await call("POST", "/label", new Uint8Array((64 << 20) + 1)).catch((error) => error);
    expect(refused).toMatchObject({ status: 413, text: expect.stringContaining("MAX_BODY_BYTES") });
  });

  it("has the calls of each client counted by its own address, and not by one that it claims", async () => {
    const from = (localAddress: string, claim: string) =>
      call("GET", "/models", undefined, { localAddress, headers: { "x-real-ip": claim, "x-forwarded-for": claim } });
    const statuses: (number | undefined)[] = [];
    for (let i = 0; i < 21; i++) statuses.push((await from("127.0.0.7", `203.0.113.${i}`)).status);
    expect(statuses).toEqual([...Array(20).fill(200), 429]);
    expect((await from("127.0.0.8", "127.0.0.7")).status).toBe(200);
  });
});
