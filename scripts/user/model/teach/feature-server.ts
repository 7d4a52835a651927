/** A labeler that computes features, and is started for the first photo that needs it. */
import type { Features } from "../../../../worker/teaching/features.ts";
import { startWorkerd } from "../../../labeler/workerd.ts";
import { type FeatureQuery, featuresOf } from "../features.ts";

export class FeatureServer {
  readonly #models: string;
  #server: ReturnType<typeof startWorkerd> | undefined;

  /** @param models The folder of models. */
  constructor(models: string) {
    this.#models = models;
  }

  /** Starts the labeler before the first photo needs it. @param model The model that will compute features. */
  start(model: string): ReturnType<typeof startWorkerd> {
    if (this.#server !== undefined) return this.#server;
    const server = startWorkerd({ models: this.#models, settings: { DEFAULT_MODEL: model } });
    server.catch(() => undefined); // features() reports it
    this.#server = server;
    return server;
  }

  /** As featuresOf(). */
  async features(
    query: FeatureQuery,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<{ features: Features } | { error: string }> {
    const { url } = await this.start(query.model);
    return featuresOf({ url, token: undefined }, query, body);
  }

  async stop(): Promise<void> {
    const server = await this.#server?.catch(() => undefined);
    await server?.stop();
  }
}
