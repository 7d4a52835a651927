/** The parts of a package, as paths from its root. */
export const PARTS = {
  /** The command line, bundled from cli.ts, with its chunks beside it. */
  program: "bin/edge-labeler.mjs",
  /** What the commands read, at the paths that it has in a checkout. */
  share: "share",
  /** The bundled Worker. */
  worker: "worker",
  /** The declarations of wrangler.toml, as JSON. */
  declared: "declared.json",
  models: "model-assets",
  client: "client",
  sbom: "sbom.cdx.json",
} as const;

/** Parts that only a self-contained folder has. */
export const OWN_PARTS = {
  workerd: "workerd",
  node: "node",
  /** Starts the command line with the folder's own Node, or with that of the PATH. */
  starter: "edge-labeler",
  /** `edge-labeler serve` under the name that it had before there were other commands. */
  server: "serve.mjs",
} as const;

/** The files of a checkout that the commands read. A folder stands for all below it. */
export const SHARED: readonly string[] = [
  "ekuiper/plugin",
  "ekuiper/rules",
  "ekuiper/service",
  "ekuiper/streams",
  "ekuiper/tables",
  "scripts/user/model/pictures",
  "scripts/user/model/survey.py",
  "test/fixtures/coffee.png",
  "test/fixtures/coffee-96.webp",
];

/** The source of a thread, which is bundled to the path that it has in a checkout. */
export const THREAD = "scripts/user/model/convert/keras/hdf5-thread.js";

/** The source of a Worker that `edge-labeler model explain` runs. */
export const EXPLAIN_WORKER = "scripts/user/model/explain-worker.ts";
