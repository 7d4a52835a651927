/** How `install` parses the MQTT options, which settings it derives, and how it reads them back. Needs no engine. */
import { expect, test } from "vitest";
import {
  clientOf,
  parseMqtt,
  readMqttOptions,
  requireConsistent,
  requireNewClient,
  sinkSettings,
  streamOptions,
  streamSettings,
} from "../../scripts/user/ekuiper/mqtt-options.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const ALL = { "client-id": "gate-1", qos: "2", session: "on", "mqtt-version": "3.1.1" };

test("stream and sink have what eKuiper calls it, and clients of their own", () => {
  const options = parseMqtt(ALL, PEM);
  const rootCARaw = Buffer.from(PEM).toString("base64");
  expect(streamSettings(options)).toEqual({
    qos: 2,
    protocolVersion: "3.1.1",
    rootCARaw,
    clientid: "gate-1",
    enableClientSession: true,
  });
  expect(sinkSettings(options, "label")).toEqual({
    qos: 2,
    protocolVersion: "3.1.1",
    rootCARaw,
    clientid: "gate-1-label",
  });
  expect(streamOptions(options)).toEqual({ SHARED: "true" });
});

test("what is installed is found again", () => {
  const options = parseMqtt(ALL, PEM);
  expect(readMqttOptions(streamSettings(options))).toEqual(options);
  expect(clientOf("gate-1-label", "label")).toBe("gate-1");
  expect(readMqttOptions({})).toEqual(parseMqtt({}));
});

test("without options nothing is set; a session has qos 1 unless it is told otherwise", () => {
  expect([streamSettings({}), sinkSettings({}, "label"), streamOptions({})]).toEqual([{}, {}, {}]);
  expect(streamSettings({ clientId: "a", session: true })).toMatchObject({ qos: 1 });
  expect(streamSettings({ clientId: "a", session: false })).toEqual({ clientid: "a" });
});

test.each([
  [{ "client-id": "a b" }, undefined, /--client-id a b: letters/],
  [{ qos: "3" }, undefined, /--qos 3: there are 0, 1 and 2/],
  [{ session: "yes" }, undefined, /--session yes: there are on and off/],
  [{ "mqtt-version": "4" }, undefined, /--mqtt-version 4: there are 3\.1\.1 and 5/],
  [{}, "no certificate", /--broker-ca: the file has no certificate in PEM/],
])("%j is refused with what there is", (given, authorities, reason) => {
  expect(() => parseMqtt(given, authorities)).toThrow(reason);
});

test.each([
  [{ session: true }, /needs a --client-id/],
  [{ session: true, clientId: "a", qos: 0 }, /needs --qos 1 or 2/],
  [{ session: true, clientId: "a", version: "5" as const }, /needs --mqtt-version 3\.1\.1/],
])("%j cannot go together", (options, reason) => {
  expect(() => requireConsistent(options)).toThrow(reason);
});

test("another topic needs another client only where both have the same session", () => {
  const session = { session: true, clientId: "a" };
  expect(() => requireNewClient(session, session)).toThrow(/another --client-id/);
  for (const other of [
    { session: true, clientId: "b" },
    { session: false, clientId: "a" },
  ]) {
    expect(() => requireNewClient(session, other)).not.toThrow();
    expect(() => requireConsistent({ ...other, session: false })).not.toThrow();
  }
});
