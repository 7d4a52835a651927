/** Runs the labeler on a free port for as long as a demo or a test needs it; `npm start` is scripts/start.ts. */
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { prepare } from "../lib/prepare.ts";

export interface RunningLabeler {
  /** Its address without a slash at the end. */
  url: string;
  stop(): Promise<void>;
}

const readySeconds = 60;

/**
 * Starts the labeler of this checkout and waits until its default model is loaded, which eKuiper would not wait for: it
 * gives a call 5 s.
 * @param token the LABELER_TOKEN that it asks for, whatever .dev.vars says
 */
export async function startLabeler(token: string): Promise<RunningLabeler> {
  await prepare();
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false"; // else wrangler asks Cloudflare where this machine is
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL("../../wrangler.toml", import.meta.url)),
    bindings: { LABELER_TOKEN: { type: "plain_text", value: token } },
    dev: {
      server: { hostname: "127.0.0.1", port: 0 },
      inspector: false,
      logLevel: "error",
      persist: false,
      watch: false,
    },
  });
  // wrangler would wait for an edit that builds.
  const broken = new Promise<never>((_, reject) => {
    worker.raw.once("buildFailed", () => reject(new Error("The labeler does not build; wrangler's message is above.")));
  });
  try {
    const { origin: url } = await Promise.race([worker.url, broken]);
    await Promise.race([answers(`${url}/readyz`), broken]);
    return { url, stop: () => worker.dispose() };
  } catch (error) {
    await worker.dispose();
    throw error;
  }
}

async function answers(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(readySeconds * 1000) }).catch((cause) => {
    throw new Error(`The labeler gave no answer to GET ${url}`, { cause });
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The labeler is not ready: GET ${url} is ${response.status}: ${text}`);
}
