/** The names of the files and folders of a packaged labeler. */
export const PARTS = {
  /** main.ts, bundled. */
  server: "serve.mjs",
  /** The bundled Worker. */
  worker: "worker",
  /** The declarations of wrangler.toml, as JSON. */
  declared: "declared.json",
  models: "model-assets",
  workerd: "workerd",
} as const;
