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

  /** As featuresOf(). */
  async features(
    query: FeatureQuery,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<{ features: Features } | { error: string }> {
    this.#server ??= startWorkerd({ models: this.#models, settings: { DEFAULT_MODEL: query.model } });
    const { url } = await this.#server;
    return featuresOf({ url, token: undefined }, query, body);
  }

  async stop(): Promise<void> {
    const server = await this.#server;
    await server?.stop();
  }
}
