/** What a packaged labeler consists of: names in its folder. */
export const PARTS = {
  /** Bundled of main.ts. */
  server: "serve.mjs",
  /** The bundled Worker. */
  worker: "worker",
  /** What wrangler.toml declares, in JSON. */
  declared: "declared.json",
  models: "model-assets",
  workerd: "workerd",
} as const;
