/** Connections of this machine to an MQTT broker. */
import type { MqttClient } from "mqtt";
import { CommandError } from "../../command-line/command.ts";
import { brokerSettings } from "./service.ts";

const PATIENCE = 5000;

/**
 * Connects to the broker. If the first connection fails, the address is probably wrong, so that it is not retried.
 *
 * @param broker For example tcp://USER:PASSWORD@127.0.0.1:1883.
 * @param reconnect Whether a connection that is lost later is restored.
 * @throws CommandError that names the broker, without its password, and the cause.
 */
export async function connectTo(broker: string, { reconnect }: { reconnect: boolean }): Promise<MqttClient> {
  const options = { reconnectPeriod: reconnect ? 1000 : 0, connectTimeout: PATIENCE };
  const { connectAsync } = await import("./mqtt.ts");
  return connectAsync(broker, options, false).catch((error: Error) => {
    const cause = error.message || (error as { code?: string }).code;
    const { server } = brokerSettings(broker);
    const fix = /not authorized|bad user ?name/i.test(`${cause}`)
      ? "Give user and password: --broker tcp://USER:PASSWORD@HOST:1883"
      : "Start it, or give its address as this machine reaches it: --broker tcp://HOST:1883";
    throw new CommandError(`The broker ${server} does not answer this machine: ${cause}. ${fix}`);
  });
}

/**
 * A topic to publish to that matches a subscription, which may be shared ($share/GROUP/…) or contain wildcards.
 *
 * @param level The replacement for a wildcard.
 */
export function topicFor(subscription: string, level: string): string {
  const topic = /^\$share\/[^/]+\/(.+)$/s.exec(subscription)?.[1] ?? subscription;
  return topic.replaceAll(/[+#]/g, level);
}
