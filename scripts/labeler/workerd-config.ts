/** Writes the configuration of workerd for the labeler, in Cap'n Proto's text format. */
import { readdirSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";

/** The declarations of a deployment about the Worker, wherever it runs. */
export interface Declared {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** The settings and their defaults. */
  readonly vars: Readonly<Record<string, string>>;
}

export interface WorkerdConfigOptions {
  readonly declared: Declared;
  /** The folder of the bundled Worker. */
  readonly bundle: string;
  /** Whether the configuration file lies elsewhere; workerd then needs the option --import-path=/. */
  readonly elsewhere?: boolean;
  /** The module of the bundle with the handlers; index.js unless set. */
  readonly entry?: string;
  readonly models: string;
  /** The folder of index.json, if it is not in the folder of models. */
  readonly index?: string | undefined;
  /** The folder of the results. */
  readonly state: string;
  /** The host and port to listen on; workerd's option --socket-addr http=ADDRESS overrides it. */
  readonly address?: string;
  /** Settings that differ from the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** V8_FLAGS unless set. */
  readonly v8Flags?: readonly string[] | undefined;
  /** Settings that workerd reads from its environment, so that no file contains secrets; absent ones stay absent. */
  readonly fromEnvironment?: readonly string[];
}

/**
 * Half of V8's young generation, in MB. By default it grows to 16 under load, and the memory that its garbage holds
 * outside the heap grows with it, to 100 MB and more. Requests leave few live objects behind, so earlier collections
 * are cheap.
 */
export const V8_FLAGS: readonly string[] = ["--max-semi-space-size=2"];

/** A string of Cap'n Proto's text format. */
export const text = (value: string) => JSON.stringify(value);

/** The networks that the labeler may call: none by default, and for push targets no more than they need. */
export function allowedNetworks(pushTargets: string): string[] {
  const hosts = pushTargets
    .split(/[\s,"[\]]+(?=https?:|$)/)
    .flatMap((target) => URL.parse(target)?.hostname.replace(/^\[|\]$/g, "") ?? []);
  if (hosts.some((host) => isIP(host) === 0)) return ["public", "private"]; // Names are resolved later.
  return hosts.map((host) => `${host}/${isIP(host) === 4 ? 32 : 128}`);
}

/** A service for the folder of models that serves its files, but the index from elsewhere. */
const INDEXED_ELSEWHERE = `export default { fetch(request, env) {
  return (new URL(request.url).pathname === "/index.json" ? env.INDEX : env.FILES).fetch(request);
} };`;

/** The service "models" and the services that it uses. */
export function modelServices(compatibilityDate: string, models: string, index: string | undefined): string[] {
  const folder = (name: string, path: string) => `(name = ${text(name)}, disk = (path = ${text(resolve(path))}))`;
  if (index === undefined) return [folder("models", models)];
  const worker = [
    `modules = [(name = "models.js", esModule = ${text(INDEXED_ELSEWHERE)})]`,
    `compatibilityDate = ${text(compatibilityDate)}`,
    `bindings = [(name = "FILES", service = "model-files"), (name = "INDEX", service = "model-index")]`,
  ];
  return [
    folder("model-files", models),
    folder("model-index", index),
    `(name = "models", worker = (${worker.join(", ")}))`,
  ];
}

/**
 * The service of the networks that may be called.
 *
 * @param pushTargets The setting PUSH_TARGETS. Only for targets with https does workerd load the certificate authorities of the
 *   system, without which it would not start.
 */
export function internet(pushTargets: string): string {
  const allowed = allowedNetworks(pushTargets).map(text).join(", ");
  const tls = /https:/i.test(pushTargets) ? ", tlsOptions = (trustBrowserCas = true)" : "";
  return `(name = "internet", network = (allow = [${allowed}]${tls}))`;
}

/**
 * The modules of a bundled Worker.
 *
 * @param entry The module with the handlers: workerd takes those of the first one.
 * @param elsewhere See WorkerdConfigOptions.
 */
export function modulesIn(bundle: string, entry: string, elsewhere = false): string {
  const names = [entry, ...readdirSync(bundle).filter((name) => name !== entry)];
  const modules = names.flatMap((name) => {
    const contents = `embed ${text(elsewhere ? resolve(bundle, name) : name)}`;
    if (name.endsWith(".js")) return [`(name = ${text(name)}, esModule = ${contents})`];
    return name.endsWith(".wasm") ? [`(name = ${text(name)}, wasm = ${contents})`] : [];
  });
  return modules.join(", ");
}

/** The bindings of settings, and of what workerd reads from its environment. */
export const settingBindings = (
  settings: Readonly<Record<string, string>>,
  fromEnvironment: readonly string[],
): readonly string[] => [
  ...Object.entries(settings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
  ...fromEnvironment.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
];

export function workerdConfig({
  declared: { compatibilityDate, compatibilityFlags, vars },
  bundle,
  elsewhere,
  entry = "index.js",
  models,
  index,
  state,
  address = "127.0.0.1:0",
  settings = {},
  fromEnvironment = [],
  v8Flags = V8_FLAGS,
}: WorkerdConfigOptions): string {
  const modules = modulesIn(bundle, entry, elsewhere);
  const all: Readonly<Record<string, string>> = { ...vars, ...settings };
  const bindings = [
    `(name = "ASSETS", service = "models")`,
    `(name = "RESULTS", durableObjectNamespace = "Results")`,
    ...settingBindings(all, fromEnvironment),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${v8Flags.map(text).join(", ")}],
  services = [
    (name = "main", worker = .labeler),
    ${modelServices(compatibilityDate, models, index).join(",\n    ")},
    (name = "state", disk = (path = ${text(resolve(state))}, writable = true)),
    ${internet(all.PUSH_TARGETS ?? "")},
  ],
  sockets = [(name = "http", address = ${text(address)}, http = (), service = "main")],
);
const labeler :Workerd.Worker = (
  modules = [${modules}],
  compatibilityDate = ${text(compatibilityDate)},
  compatibilityFlags = [${compatibilityFlags.map(text).join(", ")}],
  bindings = [
    ${bindings.join(",\n    ")},
  ],
  durableObjectNamespaces = [(className = "Results", uniqueKey = "edge-labeler-results", enableSql = true)],
  durableObjectStorage = (localDisk = "state"),
);
`;
}
