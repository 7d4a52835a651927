/** The tokens of `npm run serve`: invalid ones stop it at every start, and hashes and scopes apply once it runs. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { expectProblem, fixture, labelsOf, post } from "./client.ts";
import { DIRECT, type Serve, shareServeFolders, spawnServe } from "./serve-process.ts";

const coffee = fixture("coffee.png");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const folders = shareServeFolders("tokens");

/** Starts npm run serve's program with these secrets. */
const serve = (secrets: Record<string, string>): Promise<Serve> =>
  spawnServe(folders, [], DIRECT, { LABELER_TOKEN: undefined, ...secrets });

it("knows tokens by their hashes, and what each may do", async () => {
  const gateway = `gateway:submit:${sha256("first")}`;
  const { url, log } = await serve({ LABELER_TOKENS: `${gateway}, reader:label+results:${sha256("second")}` });
  await expect.poll(log, { timeout: 60_000 }).toMatch(/Edge Labeler at/);
  expect((await post(`${url}/ekuiper/sink?id=a`, coffee, bearer("first"))).status).toBe(204);
  const refused = await fetch(`${url}/results`, { headers: bearer("first") });
  expect(refused.headers.get("www-authenticate")).toMatch(/error="insufficient_scope", scope="results"$/);
  await expectProblem(
    refused,
    403,
    "insufficient-scope",
    /"gateway" has the scopes submit, and this call needs results/,
  );
  expect((await labelsOf(await post(`${url}/label`, coffee, bearer("second")))).length).toBeGreaterThan(0);
  expect(await (await fetch(`${url}/results/a`, { headers: bearer("second") })).json()).toMatchObject({ id: "a" });
});

// The Worker is there already, so that nothing but the secrets themselves can be what stops it.
it.each([
  [{ LABELER_TOKENS: "" }, /LABELER_TOKENS: is set but has no token in it/],
  [{ LABELER_TOKENS: "," }, /LABELER_TOKENS: is set but has no token in it/],
  [{ LABELER_TOKENS: " " }, /LABELER_TOKENS: is set but has no token in it/],
  [{ LABELER_TOKENS: `a:${"0".repeat(64)},a:${"1".repeat(64)}` }, /two tokens are called "a"/],
  [{ LABELER_TOKEN: "" }, /LABELER_TOKEN: is set but empty/],
  [{ LABELER_TOKEN: "s3cret\n" }, /LABELER_TOKEN: contains a blank or a line feed/],
  [{ LABELER_TOKEN: "s3 cret" }, /LABELER_TOKEN: contains a blank or a line feed/],
  [{ PUSH_TOKEN: "schlüssel" }, /PUSH_TOKEN: may only contain letters/],
])("does not start with %j", async (secrets, message) => {
  const { ended, log } = await serve(secrets);
  expect(await ended).toBe(2);
  expect(log()).toMatch(message);
  expect(log()).not.toMatch(/s3cret|s3 cret|schlüssel|at .*\.ts/);
});
