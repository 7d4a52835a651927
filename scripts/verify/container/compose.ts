/** Checks compose.yaml by docker-compose, and what it asks of the image's own commands. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_VERSION } from "../../ekuiper-engine/engine-source.ts";
import { run } from "./buildah.ts";

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  /** A text, or its parts in version 2 of docker-compose. */
  readonly ports?: readonly (string | { readonly host_ip?: string })[];
  readonly read_only?: boolean;
}

/** What docker-compose reads; Python prints it as JSON, since docker-compose prints YAML alone. */
function readCompose(): Readonly<Record<string, Service>> {
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-compose-"));
  try {
    const token = join(folder, "token");
    writeFileSync(token, "a-token\n");
    const read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))";
    const shell = `LABELER_TOKEN_FILE=${token} docker-compose --file compose.yaml config | /usr/bin/python3 -c '${read}'`;
    return JSON.parse(run(["sh", "-c", shell])).services;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @throws Error if a service is missing, or is not wired to the others. */
export function checkCompose(): void {
  const services = readCompose();
  assert.deepEqual(Object.keys(services).sort(), ["broker", "ekuiper", "install", "labeler"]);
  const { broker, ekuiper, install, labeler } = services;
  assert.equal(ekuiper.image, `docker.io/lfedge/ekuiper:${DEFAULT_VERSION}-slim`, "Take the eKuiper that is tested.");
  assert.match(broker.image, /eclipse-mosquitto:2\./);
  assert.equal(install.image, labeler.image);
  assert.equal(labeler.read_only, true);
  const [command, verb, ...options] = install.command ?? [];
  assert.deepEqual([command, verb], ["ekuiper", "install"]);
  // A host in these addresses is the name of a service.
  const hosts = options.map((option) => new URL(option.split("=")[1] ?? "").hostname);
  assert.deepEqual(hosts, ["ekuiper", "labeler", "broker"]);
  assert.equal(install.depends_on?.labeler?.condition, "service_healthy");
  for (const [name, { ports = [] }] of Object.entries(services)) {
    for (const port of ports) {
      const address = typeof port === "string" ? port.split(":")[0] : port.host_ip;
      assert.equal(address, "127.0.0.1", `${name} is open to the network.`);
    }
  }
}
