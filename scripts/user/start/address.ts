/**
 * Checks the addresses on which `npm start` may listen. wrangler is made for development: beside the labeler and its
 * token it answers calls of its own, and its inspector runs any code, so both must stay on this machine.
 */
import { UsageError } from "../../command-line/command.ts";
import { isLoopback } from "../../system/loopback.ts";

/** The addresses under [dev] in wrangler.toml; loopback unless stated. */
export interface DevAddresses {
  readonly ip?: string | undefined;
  readonly inspectorIp?: string | undefined;
}

const SERVE = "npm start is for this machine alone. For others: npm run serve -- --ip";

/** The values of an option of wrangler dev, as `--inspector-ip X`, `--inspector-ip=X` or `--inspectorIp X`. */
function valuesOf(option: string, args: readonly string[]): string[] {
  const camel = option.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return args.flatMap((arg, i) => {
    const [name = "", value] = arg.split(/=(.*)/s);
    if (name !== `--${option}` && name !== `--${camel}`) return [];
    return [value ?? args[i + 1] ?? ""];
  });
}

/** @throws UsageError for a port that is none. */
function checkPorts(args: readonly string[]): void {
  for (const option of ["port", "inspector-port"]) {
    for (const port of valuesOf(option, args)) {
      if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) continue;
      throw new UsageError(`--${option} must be a whole number from 0 to 65535, not ${port || "nothing"}.`);
    }
  }
}

/**
 * @param configured The addresses that apply if the arguments name none. Without it only the arguments are checked.
 * @throws UsageError if the labeler, or wrangler's inspector, could be reached from elsewhere, or a port is none.
 */
export function checkAddresses(args: readonly string[], { ip, inspectorIp }: DevAddresses = {}): void {
  checkPorts(args);
  const given = valuesOf("ip", args);
  for (const address of given.length > 0 ? given : [ip ?? "127.0.0.1"]) {
    if (!isLoopback(address)) throw new UsageError(`${SERVE} ${address || "0.0.0.0"}.`);
  }
  const inspectors = valuesOf("inspector-ip", args);
  for (const address of inspectors.length > 0 ? inspectors : [inspectorIp ?? "127.0.0.1"]) {
    if (!isLoopback(address))
      throw new UsageError(`--inspector-ip ${address}: the inspector runs any code it is sent.`);
  }
  if (args.some((arg) => /^--tunnel(=(?!false)|$)/.test(arg)))
    throw new UsageError(`--tunnel: ${SERVE} 127.0.0.1, behind a proxy.`);
}
