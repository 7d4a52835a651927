/** How the gateway's image stream and its rules use the MQTT broker, beyond its address. */
import { UsageError } from "../../command-line/command.ts";

export const MQTT_VERSIONS = ["3.1.1", "5"] as const;

export interface MqttOptions {
  /**
   * The stream's client id. A rule's sink appends its rule's id, since two clients with one id disconnect each other.
   */
  readonly clientId?: string | undefined;
  /** QoS 0, 1 or 2; if absent, eKuiper's default, 0. */
  readonly qos?: number | undefined;
  /** Whether the broker keeps images for the stream while eKuiper is away. */
  readonly session?: boolean | undefined;
  readonly version?: (typeof MQTT_VERSIONS)[number] | undefined;
  /** The authorities that sign the broker's certificate, in PEM; if absent, those that eKuiper's system trusts. */
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
 * Checks that options go together, also with those that are installed.
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
 * Refuses another topic with the same session: the broker would also keep the subscription to the old topic, which
 * eKuiper does not end.
 *
 * @throws UsageError
 */
export function requireNewClient(before: MqttOptions, after: MqttOptions): void {
  if (before.session !== true || after.session !== true || before.clientId !== after.clientId) return;
  throw new UsageError(
    `Give another --client-id with another --topic: in its session of ${after.clientId} the broker keeps the topic before.`,
  );
}

/** The settings that the stream and sinks share. */
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

/** The options of the stream in SQL: rules share one client if it has an id. */
export const streamOptions = ({ clientId }: MqttOptions): Record<string, string> =>
  clientId === undefined ? {} : { SHARED: "true" };

/** The settings of a rule's MQTT sink. */
export const sinkSettings = (mqtt: MqttOptions, rule: string): Record<string, unknown> => ({
  ...common(mqtt),
  ...(mqtt.clientId !== undefined && { clientid: `${mqtt.clientId}-${rule}` }),
});

/** The client id from which a sink's was derived. */
export const clientOf = (sinkId: unknown, rule: string): string | undefined =>
  typeof sinkId === "string" ? sinkId.replace(new RegExp(`-${rule}$`), "") : undefined;

/** The options from which a stream's settings were derived; none for a stream of the user's own. */
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
