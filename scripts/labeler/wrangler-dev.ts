/** The options of `wrangler dev`, to refuse a mistyped one before anything is started; wrangler checks their values. */
import { UsageError } from "../command-line/command.ts";

/** The options in `wrangler dev --help` of the pinned version; a test compares them. */
export const WRANGLER_DEV_OPTIONS: readonly string[] = (
  "config cwd env env-file help install-skills profile version name compatibility-date compatibility-flags " +
  "compatibility-flag latest assets bundle ip port inspector-port inspector-ip routes route host local-protocol " +
  "https-key-path https-cert-path local-upstream infer-origin-from-routes upstream-protocol var define alias jsx-factory " +
  "jsx-fragment tsconfig remote local minify persist-to live-reload test-scheduled log-level " +
  "show-interactive-dev-session types tunnel tunnel-name tunnel-allowed-mail"
).split(" ");

/**
 * Keeps wrangler from serving its local explorer, which reads and changes the results beside the labeler and its token.
 */
export const WITHOUT_EXPLORER = { X_LOCAL_EXPLORER: "false" };

const LETTERS = "cehvrl";

/** `--inspectorPort` and `--no-bundle` are `inspector-port` and `bundle`, too. */
const plain = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^no-/, "");

/** @throws UsageError for an argument that is not an option of `wrangler dev`. */
export function checkWranglerDev(args: readonly string[]): void {
  const end = args.indexOf("--");
  for (const arg of args.slice(0, end === -1 ? undefined : end)) {
    const [, long, short] = /^(?:--([^=]+)|-([a-zA-Z]))/.exec(arg) ?? [];
    const known =
      long === undefined
        ? short === undefined || LETTERS.includes(short)
        : WRANGLER_DEV_OPTIONS.includes(plain(long)) || /^(experimental|x)-/.test(long);
    if (!known) throw new UsageError(`Unknown option '${arg.split("=")[0]}'.`);
  }
}
