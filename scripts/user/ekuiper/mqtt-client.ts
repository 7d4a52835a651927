/** Connections of this machine to an MQTT broker. */
import mqtt, { type MqttClient } from "mqtt";
import { CommandError } from "../../command-line/command.ts";
import { brokerSettings } from "./service.ts";

const PATIENCE = 5000;

/**
 * Connects to the broker. A first connection that fails is a wrong address more often than not.
 *
 * @param broker For example tcp://USER:PASSWORD@127.0.0.1:1883.
 * @param reconnect Whether a connection that is lost later is to come back.
 * @throws CommandError that names the broker, without its password, and the cause.
 */
export async function connectTo(broker: string, { reconnect }: { reconnect: boolean }): Promise<MqttClient> {
  const options = { reconnectPeriod: reconnect ? 1000 : 0, connectTimeout: PATIENCE };
  return mqtt.connectAsync(broker, options, false).catch((error: Error) => {
    const cause = error.message || (error as { code?: string }).code;
    const { server } = brokerSettings(broker);
    const fix = /not authorized|bad user ?name/i.test(`${cause}`)
      ? "Give user and password: --broker tcp://USER:PASSWORD@HOST:1883"
      : "Start it, or give its address as this machine reaches it: --broker tcp://HOST:1883";
    throw new CommandError(`The broker ${server} does not answer this machine: ${cause}. ${fix}`);
  });
}

/**
 * A topic to publish to, for a subscription that may be shared ($share/GROUP/…) or have wildcards in it.
 *
 * @param level What stands in the place of a wildcard.
 */
export function topicFor(subscription: string, level: string): string {
  const topic = /^\$share\/[^/]+\/(.+)$/s.exec(subscription)?.[1] ?? subscription;
  return topic.replaceAll(/[+#]/g, level);
}
