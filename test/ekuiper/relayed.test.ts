/** Images that the MQTT forwarder submits: their labels come back by pull and push, with device, time and topic. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { findPython, type RunningRelay, startForwarder } from "../../scripts/ekuiper-engine/relay.ts";
import { Mailbox } from "../../scripts/user/ekuiper/broker.ts";
import { uninstall } from "../../scripts/user/ekuiper/install.ts";
import { fixtures, type Gateway, skip, startGateway, token } from "./gateway.ts";

const python = findPython();
const topics = { labels: "ekuiper/labels", errors: "ekuiper/errors" };

describe.skipIf(skip || (python === undefined && !process.env.CI))("relayed images", () => {
  let gateway: Gateway;
  let mailbox: Mailbox;
  let forwarder: RunningRelay;

  beforeAll(async () => {
    vi.stubEnv("LABELER_TOKEN", token);
    gateway = await startGateway();
  });

  beforeEach(async () => {
    mailbox = await Mailbox.open(gateway.broker.url, Object.values(topics));
  });

  afterEach(async () => {
    await forwarder?.stop();
    await mailbox.close();
    await uninstall(gateway.api, false);
  });

  afterAll(() => gateway?.stop());

  test.each(["pull", "push"] as const)("%s brings their labels back", async (loop) => {
    // The digest is the id, so that each loop has to have images of its own.
    const own = (image: Uint8Array) => Buffer.concat([image, Buffer.from(loop)]);
    const device = `relayed-${loop}`;
    await gateway.install(loop, { device });
    const subscribed = gateway.broker.nextSubscriber("cameras/#");
    const args = ["--topic", "cameras/#", "--device", device];
    forwarder = await startForwarder(python ?? "python3", gateway.broker.url, gateway.labeler.url, args);
    await subscribed;

    const before = Date.now();
    const images = await fixtures();
    for (const { name, image } of images) await mailbox.publish(`cameras/Tür & Tor/100 %/${name}`, own(image));
    await mailbox.publish("cameras/broken", `no image of ${loop}`);
    for (const { name, label } of images) {
      const row = JSON.parse(await mailbox.next(topics.labels, 20));
      expect(row).toMatchObject({ label, device, meta: { topic: `cameras/Tür & Tor/100 %/${name}` } });
      expect(Date.parse(row.time)).toBeGreaterThanOrEqual(before - 1);
      expect(Date.parse(row.time)).toBeLessThanOrEqual(Date.now());
    }
    const broken = JSON.parse(await mailbox.next(topics.errors, 20));
    expect(broken).toMatchObject({
      device,
      label: "",
      error: expect.stringMatching(/\w/),
      meta: { topic: "cameras/broken" },
    });
  });
});
