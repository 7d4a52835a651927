/** An MQTT broker inside this process, with the few calls that its users need here. */
import { createServer } from "node:net";
import type { MqttClient } from "mqtt";
import { connectTo } from "./mqtt-client.ts";

export interface Broker {
  /** Its address in the form that eKuiper and mqtt.js expect: tcp://127.0.0.1:PORT. */
  url: string;
  /** Resolves when another client subscribes to the topic from now on; rejects after `seconds`. */
  nextSubscriber(topic: string, seconds?: number): Promise<void>;
  /** The number of clients that subscribe to the topic. */
  subscribers(topic: string): number;
  stop(): Promise<void>;
}

/** Starts a broker on a free port of the loopback interface. @param user The only user that it accepts, if any. */
export async function startBroker(user?: { name: string; password: string }): Promise<Broker> {
  const { Aedes } = await import("aedes");
  const aedes = await Aedes.createBroker();
  if (user !== undefined) {
    aedes.authenticate = (_client, name, password, done) =>
      done(null, name === user.name && password?.toString() === user.password);
  }
  // noDelay: otherwise Nagle's algorithm and delayed acknowledgements add 40 ms to small messages.
  const server = createServer({ noDelay: true }, aedes.handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The MQTT broker has no TCP port");

  // Counted per client, since eKuiper may subscribe twice for one rule.
  const listening = new Map<string, Set<string>>();
  const waiting = new Set<(topic: string) => void>();
  const clientsOf = (topic: string) => {
    const clients = listening.get(topic) ?? new Set();
    listening.set(topic, clients);
    return clients;
  };
  aedes.on("subscribe", (subscriptions, client) => {
    for (const { topic } of subscriptions) {
      const clients = clientsOf(topic);
      if (clients.has(client.id)) continue;
      clients.add(client.id);
      for (const notify of waiting) notify(topic);
    }
  });
  aedes.on("unsubscribe", (topics, client) => {
    for (const topic of topics) clientsOf(topic).delete(client.id);
  });
  aedes.on("clientDisconnect", (client) => {
    for (const clients of listening.values()) clients.delete(client.id);
  });

  return {
    url: `tcp://127.0.0.1:${address.port}`,
    nextSubscriber(topic, seconds = 10) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(notify);
          reject(new Error(`No client subscribed to MQTT topic ${topic} within ${seconds} s`));
        }, seconds * 1000);
        const notify = (subscribed: string) => {
          if (subscribed !== topic) return;
          waiting.delete(notify);
          clearTimeout(timer);
          resolve();
        };
        waiting.add(notify);
      });
    },
    subscribers: (topic) => clientsOf(topic).size,
    async stop() {
      // The server is closed first: a client that reconnected in between would hold its connection until it gives up.
      const closed = new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => aedes.close(resolve));
      await closed;
    },
  };
}

/** A client that publishes and collects messages. */
export class Mailbox {
  readonly #client: MqttClient;
  readonly #received = new Map<string, Buffer[]>();
  readonly #waiting = new Set<() => void>();

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on("message", (topic, payload) => {
      this.#queue(topic).push(payload);
      for (const check of this.#waiting) check();
    });
  }

  /** Connects, and subscribes to the given topics. @throws CommandError if the broker does not answer. */
  static async open(url: string, topics: string[]): Promise<Mailbox> {
    const client = await connectTo(url, { reconnect: false });
    const mailbox = new Mailbox(client);
    if (topics.length > 0) await client.subscribeAsync(topics, { qos: 1 });
    return mailbox;
  }

  /** Publishes and waits until the broker has it. */
  async publish(topic: string, payload: Uint8Array | string): Promise<void> {
    await this.#client.publishAsync(topic, Buffer.from(payload), { qos: 1 });
  }

  /** The oldest unread message of the topic; waits for one if there is none. */
  next(topic: string, seconds = 10): Promise<string> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const payload = this.#queue(topic).shift();
        if (payload === undefined) return;
        this.#waiting.delete(check);
        clearTimeout(timer);
        resolve(payload.toString("utf8"));
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`No message on MQTT topic ${topic} within ${seconds} s`));
      }, seconds * 1000);
      this.#waiting.add(check);
      check();
    });
  }

  /** The number of unread messages of the topic. */
  waiting(topic: string): number {
    return this.#queue(topic).length;
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  #queue(topic: string): Buffer[] {
    const queue = this.#received.get(topic) ?? [];
    this.#received.set(topic, queue);
    return queue;
  }
}
