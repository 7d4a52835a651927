/** What must be true of the Dockerfile and of a built image before it runs. */
import assert from "node:assert/strict";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { buildah, inspectImage } from "./buildah.ts";

const VOLUMES = ["/var/lib/edge-labeler/models", "/var/lib/edge-labeler/state"];

/** The number of AArch64 in the head of an ELF file. */
const AARCH64 = 183;

/** @throws Error if the last stage runs a program: an image for another processor would have to be emulated. */
export function checkDockerfile(text: string): void {
  const stages = text.split(/^FROM /m);
  assert.doesNotMatch(stages.at(-1) ?? "", /^RUN /m, "The last stage of the Dockerfile runs a program.");
}

/** @throws Error if the image would run as root, without volumes, or without a health check. */
export function checkConfig(image: string): void {
  const { architecture, config } = inspectImage(image);
  assert.equal(architecture, "amd64");
  assert.equal(config.User, "1000:1000");
  assert.deepEqual(Object.keys(config.Volumes).sort(), VOLUMES);
  assert.deepEqual(Object.keys(config.ExposedPorts), ["8787/tcp"]);
  assert.equal(config.Healthcheck?.Test[0], "CMD");
  const secrets = config.Env.filter((variable) => /TOKEN|SECRET|PASSWORD/.test(variable));
  assert.deepEqual(secrets, [], "The image contains a secret.");
}

/** @throws Error if the image or its workerd is not for ARM. */
export function checkArm(image: string): void {
  assert.equal(inspectImage(image).architecture, "arm64");
  const container = buildah("from", "--arch", "arm64", "--pull-never", image);
  try {
    const file = openSync(join(buildah("mount", container), "opt/edge-labeler/workerd"), "r");
    const head = Buffer.alloc(20);
    readSync(file, head);
    closeSync(file);
    assert.equal(head.toString("latin1", 1, 4), "ELF");
    assert.equal(head.readUInt16LE(18), AARCH64, "workerd is not a program for ARM.");
  } finally {
    buildah("rm", container);
  }
}
