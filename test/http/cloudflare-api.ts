/** As much of Cloudflare's API as `wrangler deploy` needs, on this machine: it records what would be deployed. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The metadata of an uploaded Worker, as wrangler sends it. */
export interface Uploaded {
  readonly bindings: readonly { readonly name: string; readonly type: string; readonly text?: string }[];
  readonly [field: string]: unknown;
}

export interface CloudflareApi {
  /** Variables with which wrangler calls it. */
  readonly environment: Readonly<Record<string, string>>;
  /** The names of the Worker's secrets; undefined if there is no Worker. */
  secrets: readonly string[] | undefined;
  readonly uploaded: readonly Uploaded[];
  /** What was asked for workers.dev. */
  readonly subdomain: readonly unknown[];
  stop(): void;
}

const WORKER = "/accounts/account/workers/scripts/edge-labeler";

/** The first part of a multipart body. */
const metadataIn = (body: string): Uploaded => JSON.parse(/\r\n\r\n(\{.*?\})\r\n--/s.exec(body)?.[1] ?? "");

export async function startCloudflareApi(): Promise<CloudflareApi> {
  const uploaded: Uploaded[] = [];
  const subdomain: unknown[] = [];
  const api: Pick<CloudflareApi, "secrets"> = { secrets: undefined };

  /** @returns Undefined for what is not there. */
  function answer(call: string, body: string): unknown {
    switch (call) {
      case `GET ${WORKER}/secrets`:
        return api.secrets?.map((name) => ({ name, type: "secret_text" }));
      case "GET /accounts/account/workers/services/edge-labeler":
        return api.secrets && { default_environment: { environment: "production", script: { tag: "tag", tags: [] } } };
      case `GET ${WORKER}/deployments`:
        return { deployments: [] };
      case `POST ${WORKER}/assets-upload-session`:
        return { jwt: "jwt", buckets: [] };
      case `PUT ${WORKER}`:
        uploaded.push(metadataIn(body));
        return { id: "edge-labeler" };
      case "GET /accounts/account/workers/workers/edge-labeler":
        return { subdomain: { enabled: true, previews_enabled: true } };
      case "GET /accounts/account/workers/subdomain":
        return { subdomain: "name" };
      case `POST ${WORKER}/subdomain`:
        subdomain.push(JSON.parse(body));
        return {};
      default:
        return {};
    }
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = `${request.method} ${request.url?.replace(/\?.*/, "")}`;
    const result = answer(call, Buffer.concat(chunks).toString("latin1"));
    const errors =
      result === undefined ? [{ code: 10007, message: "This Worker does not exist on your account." }] : [];
    response.statusCode = result === undefined ? 404 : 200;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ success: result !== undefined, errors, messages: [], result: result ?? null }));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return Object.assign(api, {
    environment: {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}`,
      CLOUDFLARE_API_TOKEN: "token",
      CLOUDFLARE_ACCOUNT_ID: "account",
    },
    uploaded,
    subdomain,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  });
}
