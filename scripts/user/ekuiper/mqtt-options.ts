/** How the gateway's stream of images and its rules use the MQTT broker, beyond its address. */
import { UsageError } from "../../command-line/command.ts";

export const MQTT_VERSIONS = ["3.1.1", "5"] as const;

export interface MqttOptions {
  /** Of the stream; a rule's sink adds its rule's id, since two clients of one id throw each other out. */
  readonly clientId?: string | undefined;
  /** 0, 1 or 2; eKuiper's default, 0, if absent. */
  readonly qos?: number | undefined;
  /** Whether the broker keeps images for the stream while eKuiper is away. */
  readonly session?: boolean | undefined;
  readonly version?: (typeof MQTT_VERSIONS)[number] | undefined;
  /** The certificates that the broker's is signed by, in PEM. Those that eKuiper's system trusts, if absent. */
  readonly authorities?: string | undefined;
}

/** The options as they are written on the command line. */
export interface MqttArguments {
  readonly "client-id"?: string | undefined;
  readonly qos?: string | undefined;
  readonly session?: string | undefined;
  readonly "mqtt-version"?: string | undefined;
}

/** @param authorities The content of the file that --broker-ca names. @throws UsageError */
export function parseMqtt(given: MqttArguments, authorities?: string): MqttOptions {
  const { "client-id": clientId, qos, session, "mqtt-version": version } = given;
  if (clientId !== undefined && !/^[\w.:-]{1,100}$/.test(clientId)) {
    throw new UsageError(`--client-id ${clientId}: letters, digits, dots, colons, dashes and underscores only.`);
  }
  if (qos !== undefined && !/^[012]$/.test(qos)) throw new UsageError(`--qos ${qos}: there are 0, 1 and 2.`);
  if (session !== undefined && session !== "on" && session !== "off") {
    throw new UsageError(`--session ${session}: there are on and off.`);
  }
  const found = MQTT_VERSIONS.find((one) => one === version);
  if (version !== undefined && found === undefined) {
    throw new UsageError(`--mqtt-version ${version}: there are ${MQTT_VERSIONS.join(" and ")}.`);
  }
  if (authorities !== undefined && !authorities.includes("-----BEGIN CERTIFICATE-----")) {
    throw new UsageError("--broker-ca: the file has no certificate in PEM (-----BEGIN CERTIFICATE-----) in it.");
  }
  return {
    clientId,
    qos: qos === undefined ? undefined : Number(qos),
    session: session === undefined ? undefined : session === "on",
    version: found,
    authorities,
  };
}

/**
 * What cannot go together, seen with what is installed already.
 *
 * @throws UsageError that says what to give instead.
 */
export function requireConsistent({ clientId, qos, session, version }: MqttOptions): void {
  if (session !== true) return;
  if (clientId === undefined) {
    throw new UsageError("--session on needs a --client-id: the broker keeps images for a client that it knows again.");
  }
  if (qos === 0) throw new UsageError("--session on needs --qos 1 or 2: the broker keeps no images of qos 0.");
  if (version === "5") {
    throw new UsageError(
      "--session on needs --mqtt-version 3.1.1: with 5 eKuiper 2.4.2 drops what the broker sends before it has subscribed.",
    );
  }
}

/**
 * Another topic with the same session: the broker would go on with the subscription to the one before, too, which eKuiper
 * does not take back.
 *
 * @throws UsageError
 */
export function requireNewClient(before: MqttOptions, after: MqttOptions): void {
  if (before.session !== true || after.session !== true || before.clientId !== after.clientId) return;
  throw new UsageError(
    `Give another --client-id with another --topic: in its session of ${after.clientId} the broker keeps the topic before.`,
  );
}

/** Of stream and sink. */
function common({ qos, session, version, authorities }: MqttOptions): Record<string, unknown> {
  const level = qos ?? (session ? 1 : undefined);
  return {
    ...(level !== undefined && { qos: level }),
    ...(version !== undefined && { protocolVersion: version }),
    ...(authorities !== undefined && { rootCARaw: Buffer.from(authorities).toString("base64") }),
  };
}

/** The settings of the stream, for its EXTRA. */
export const streamSettings = (mqtt: MqttOptions): Record<string, unknown> => ({
  ...common(mqtt),
  ...(mqtt.clientId !== undefined && { clientid: mqtt.clientId }),
  ...(mqtt.session && { enableClientSession: true }),
});

/** The options of the stream in SQL: rules share one client, where it has an id. */
export const streamOptions = ({ clientId }: MqttOptions): Record<string, string> =>
  clientId === undefined ? {} : { SHARED: "true" };

/** The settings of a rule's MQTT sink. */
export const sinkSettings = (mqtt: MqttOptions, rule: string): Record<string, unknown> => ({
  ...common(mqtt),
  ...(mqtt.clientId !== undefined && { clientid: `${mqtt.clientId}-${rule}` }),
});

/** The client id that a sink's was made from. */
export const clientOf = (sinkId: unknown, rule: string): string | undefined =>
  typeof sinkId === "string" ? sinkId.replace(new RegExp(`-${rule}$`), "") : undefined;

/** The options that a stream's settings were made from; none for those of a user's own stream. */
export function readMqttOptions(settings: Readonly<Record<string, unknown>> = {}): MqttOptions {
  const { clientid, qos, enableClientSession, protocolVersion, rootCARaw } = settings;
  return {
    clientId: typeof clientid === "string" ? clientid : undefined,
    qos: typeof qos === "number" ? qos : undefined,
    session: enableClientSession === true ? true : undefined,
    version: MQTT_VERSIONS.find((one) => one === protocolVersion),
    authorities: typeof rootCARaw === "string" ? Buffer.from(rootCARaw, "base64").toString() : undefined,
  };
}
