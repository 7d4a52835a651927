/** A gateway as an older release of this product set it up: test/fixtures/ekuiper-older has the files of ekuiper/ in commit 58426e7. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { zipSync } from "fflate";
import type { Rule } from "../../scripts/user/ekuiper/api.ts";
import type { Loop } from "../../scripts/user/ekuiper/parts.ts";
import { sourceSql } from "../../scripts/user/ekuiper/source-sql.ts";
import { type Gateway, token } from "./gateway.ts";

const RULES: Readonly<Record<Loop, readonly string[]>> = {
  function: ["label", "errors"],
  sink: ["handover"],
  pull: ["labels_pulled", "labels_table", "handover"],
  push: ["labels_pushed", "handover"],
};
const SOURCES: Readonly<Record<Loop, readonly string[]>> = {
  function: ["streams/tfdemo"],
  sink: ["streams/tfdemo"],
  pull: ["streams/tfdemo", "streams/labeler_pulled", "tables/labels"],
  push: ["streams/tfdemo", "streams/labeler_pushed"],
};

/** Does what that release's `install` did, in the same order. */
export async function installOlder(
  { api, labeler, broker }: Pick<Gateway, "api" | "labeler" | "broker">,
  loop: Loop,
  device: string,
): Promise<void> {
  const authorization = { Authorization: `Bearer ${token}` };
  const older = async (name: string) =>
    (await readFile(`test/fixtures/ekuiper-older/${name}`, "utf8"))
      .replaceAll("http://127.0.0.1:8787", labeler.url)
      .replaceAll("tcp://127.0.0.1:1883", broker.url)
      .replaceAll("device=gateway", `device=${device}`)
      .replaceAll('device = \\"gateway\\"', `device = \\"${device}\\"`);

  const definition = JSON.parse(await older("service/labeler.json"));
  const [service] = Object.values<{ options: { headers: object } }>(definition.interfaces);
  Object.assign(service?.options.headers ?? {}, authorization);
  // It took the digest of the definition; what matters is that no other has the name.
  definition.interfaces = { [`labeler_${randomBytes(6).toString("hex")}`]: service };
  const bytes = (text: string) => new TextEncoder().encode(text);
  const zip = zipSync({
    "labeler.json": bytes(JSON.stringify(definition)),
    "schemas/": new Uint8Array(0),
    "schemas/labeler.proto": bytes(await older("service/schemas/labeler.proto")),
  });
  await api.putService("labeler", await api.upload("labeler_service.zip", zip));

  for (const name of SOURCES[loop]) {
    const source = sourceSql.parse(JSON.parse(await older(`${name}.json`)).sql);
    const headers = source.extra.headers as object | undefined;
    const extra = headers === undefined ? source.extra : { ...source.extra, headers: { ...headers, ...authorization } };
    const kind = name.startsWith("tables/") ? "tables" : "streams";
    await api.putSource(kind, source.name, sourceSql.write({ ...source, extra }));
  }
  for (const name of RULES[loop]) {
    const rule: Rule = JSON.parse(await older(`rules/${name}.json`));
    for (const { rest } of rule.actions) {
      if (rest !== undefined) rest.headers = { ...(rest.headers as object), "X-Device": device, ...authorization };
    }
    await api.putRule(rule);
  }
}
