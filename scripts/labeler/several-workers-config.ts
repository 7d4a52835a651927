/**
 * Writes the configurations of workerd for a labeler with several workers: of each worker, and of the process that stores
 * the results for all of them. They reach each other over unix sockets alone, whose paths workerd is told at its start.
 */
import { resolve } from "node:path";
import {
  internet,
  modelServices,
  modulesIn,
  settingBindings,
  text,
  V8_FLAGS,
  type WorkerdConfigOptions,
} from "./workerd-config.ts";

/** The header in which a dispatcher tells a worker the address of a client, as JSON; workerd removes it. */
export const PEER_HEADER = "x-edge-labeler-peer";

/** The folder, within that of the bundled Worker, of the one that stores the results. */
export const STORE_FOLDER = "store";

/** The names of the sockets at which workerd listens, for its option --socket-addr. */
export const SOCKETS = { requests: "http", internal: "internal" } as const;

/** The names of the services in other processes, for workerd's option --external-addr. */
export const EXTERNALS = { store: "store", supervisor: "supervisor" } as const;

/** What workerd reads from its environment in each worker: which of all it is, and the name of its process. */
export const WORKER_VARIABLES = ["WORKER", "PROCESS"] as const;

/** Replaced by an option of workerd at its start. */
const UNKNOWN = "unix:/nonexistent";

const config = (services: readonly string[], sockets: readonly string[], worker: readonly string[]) =>
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${V8_FLAGS.map(text).join(", ")}],
  services = [
    (name = "main", worker = .labeler),
    ${services.join(",\n    ")},
  ],
  sockets = [
    ${sockets.join(",\n    ")},
  ],
);
const labeler :Workerd.Worker = (
  ${worker.join(",\n  ")},
);
`;

/** What a Worker has in common wherever it runs. */
const compatibility = ({ declared: { compatibilityDate, compatibilityFlags } }: WorkerdConfigOptions) => [
  `compatibilityDate = ${text(compatibilityDate)}`,
  `compatibilityFlags = [${compatibilityFlags.map(text).join(", ")}]`,
];

/** The configuration of each of the workers, to be placed beside the bundle's modules. */
export function oneOfSeveralConfig(options: WorkerdConfigOptions): string {
  const { declared, bundle, entry = "index.js", models, index, settings = {}, fromEnvironment = [] } = options;
  const bindings = [
    `(name = "ASSETS", service = "models")`,
    `(name = "STORE", service = ${text(EXTERNALS.store)})`,
    `(name = "SUPERVISOR", service = ${text(EXTERNALS.supervisor)})`,
    ...settingBindings({ ...declared.vars, ...settings }, [...fromEnvironment, ...WORKER_VARIABLES]),
  ];
  const external = (name: string) => `(name = ${text(name)}, external = (address = ${text(UNKNOWN)}, http = ()))`;
  return config(
    [
      ...modelServices(declared.compatibilityDate, models, index),
      ...Object.values(EXTERNALS).map(external),
      internet(""),
    ],
    [
      `(name = ${text(SOCKETS.requests)}, address = ${text(UNKNOWN)}, http = (cfBlobHeader = ${text(PEER_HEADER)}), service = "main")`,
      `(name = ${text(SOCKETS.internal)}, address = ${text(UNKNOWN)}, http = (), service = (name = "main", entrypoint = "internal"))`,
    ],
    [
      `modules = [${modulesIn(bundle, entry)}]`,
      ...compatibility(options),
      `bindings = [\n    ${bindings.join(",\n    ")},\n  ]`,
    ],
  );
}

/** The configuration of the process that stores the results, to be placed beside the modules of `store/`. */
export function storeConfig(options: WorkerdConfigOptions): string {
  const { declared, bundle, state, settings = {}, fromEnvironment = [] } = options;
  const all: Readonly<Record<string, string>> = { ...declared.vars, ...settings };
  const bindings = [`(name = "RESULTS", durableObjectNamespace = "Results")`, ...settingBindings(all, fromEnvironment)];
  return config(
    [`(name = "state", disk = (path = ${text(resolve(state))}, writable = true))`, internet(all.PUSH_TARGETS ?? "")],
    [`(name = ${text(SOCKETS.requests)}, address = ${text(UNKNOWN)}, http = (), service = "main")`],
    [
      `modules = [${modulesIn(bundle, "index.js")}]`,
      ...compatibility(options),
      `bindings = [\n    ${bindings.join(",\n    ")},\n  ]`,
      `durableObjectNamespaces = [(className = "Results", uniqueKey = "edge-labeler-results", enableSql = true)]`,
      `durableObjectStorage = (localDisk = "state")`,
    ],
  );
}
