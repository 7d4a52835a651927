/** `npm run deploy` as wrangler carries it out, against an API of Cloudflare on this machine. */
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runScript } from "../script.ts";
import { type CloudflareApi, startCloudflareApi } from "./cloudflare-api.ts";

let api: CloudflareApi;
beforeAll(async () => {
  api = await startCloudflareApi();
});
afterAll(() => api.stop());

const deploy = (args: string[] = [], environment: Record<string, string> = {}) =>
  runScript("deploy", args, { environment: { ...api.environment, ...environment } });

const REFUSAL = /^Without a token anyone on the internet could use the labeler, at your cost\..* --open\.\n$/;

it("refuses a labeler that does not exist yet and would have no token", async () => {
  api.secrets = undefined;
  const { code, err } = await deploy();
  expect([code, err]).toEqual([2, expect.stringMatching(REFUSAL)]);
});

it("refuses one that has other secrets alone, and a file without a token", async () => {
  api.secrets = ["PUSH_TOKEN"];
  const folder = await mkdtemp(join(tmpdir(), "deploy-"));
  const file = join(folder, "secrets.env");
  writeFileSync(file, "PUSH_TOKEN=x\n");
  try {
    expect((await deploy(["--secrets-file", file])).err).toMatch(REFUSAL);
    expect((await deploy(["--secrets-file", join(folder, "none")])).err).toMatch(
      /--secrets-file .*none cannot be read/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(api.uploaded).toEqual([]);
});

it("deploys the secrets of the environment along, with the settings of wrangler.toml", async () => {
  api.secrets = undefined;
  const { code, out, err } = await deploy([], { LABELER_TOKEN: "s3cret" });
  expect(code, out + err).toBe(0);
  expect(out + err).not.toContain("s3cret");
  const [{ bindings, ...rest }] = api.uploaded;
  expect(rest).toMatchObject({
    keep_bindings: expect.arrayContaining(["secret_text"]), // those that are not deployed along stay
    compatibility_flags: ["enable_request_signal", "no_nodejs_compat", "no_nodejs_compat_v2"],
    limits: { cpu_ms: 20_000 },
    observability: {
      enabled: true,
      head_sampling_rate: 0.1,
      logs: { invocation_logs: false },
      traces: { enabled: false },
    },
  });
  expect(bindings).toEqual(
    expect.arrayContaining([
      { name: "LABELER_TOKEN", type: "secret_text", text: "s3cret" },
      { name: "ON_CLOUDFLARE", type: "plain_text", text: "true" },
      { name: "RATE_LIMITER", type: "ratelimit", namespace_id: "1001", simple: { limit: 500, period: 10 } },
      { name: "RATE_LIMITER_PERIOD", type: "plain_text", text: "10" },
    ]),
  );
  expect(api.subdomain).toEqual([{ enabled: true, previews_enabled: false }]);
});

it.each([
  ["to one that has a token", ["LABELER_TOKENS"], []],
  ["without a token with --open", [], ["--open"]],
])("deploys %s", async (_, secrets, args) => {
  api.secrets = secrets;
  const before = api.uploaded.length;
  const { code, out, err } = await deploy(args);
  expect(code, out + err).toBe(0);
  const bindings = api.uploaded.slice(before).map(({ bindings }) => bindings.map(({ type }) => type));
  expect(bindings).toEqual([expect.not.arrayContaining(["secret_text"])]);
});
