import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { postImage } from "../../scripts/user/label/post-image.ts";

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Posts three bytes to a server. */
async function posted(listener: RequestListener) {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
  return postImage({ url, token: "s3cret" }, "/label?top=1", new Uint8Array([1, 2, 3]), "application/json");
}

test("an image is posted with its length and the token, and the answer is returned", async () => {
  const result = await posted((request, response) => {
    const { method, url, headers } = request;
    const { authorization, accept, "content-length": length } = headers;
    response.setHeader("x-image-missing", "0.5");
    response.end(JSON.stringify({ method, url, authorization, accept, length }));
  });
  if ("error" in result) throw new Error(result.error);
  expect(JSON.parse(new TextDecoder().decode(result.answer.body))).toEqual({
    method: "POST",
    url: "/label?top=1",
    authorization: "Bearer s3cret",
    accept: "application/json",
    length: "3",
  });
  expect(result.answer.header("x-image-missing")).toBe("0.5");
  expect(result.answer.header("x-image-warnings")).toBeUndefined();
});

test("a busy labeler is asked again", async () => {
  let asked = 0;
  const result = await posted((_, response) => {
    response.writeHead(asked++ === 0 ? 503 : 200, { "retry-after": "0" }).end("[]");
  });
  expect("answer" in result).toBe(true);
  expect(asked).toBe(2);
});

test("a refusal of the image is returned, and one of every image is thrown", async () => {
  const refuse = (status: number) => posted((_, response) => response.writeHead(status).end('{"detail":"No."}'));
  expect(await refuse(415)).toEqual({ error: "No." });
  await expect(refuse(403)).rejects.toThrow(/^No\.$/);
  await expect(refuse(401)).rejects.toThrow(/does not accept the token in LABELER_TOKEN: No\.$/);
});

test("a redirection is reported with its target", async () => {
  const redirected = posted((_, response) => response.writeHead(308, { location: "https://labeler.lan/" }).end());
  await expect(redirected).rejects.toThrow(/refers to https:\/\/labeler\.lan\/\. Give the address/);
});
