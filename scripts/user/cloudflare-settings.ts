/** The settings that mean something on Cloudflare alone. */
import type { Settings } from "../../worker/settings/settings.ts";
import { CommandError } from "../command-line/command.ts";

/**
 * Refuses a setting that Cloudflare alone obeys and that must not be ignored.
 *
 * @throws CommandError
 */
export function refuseCloudflareSettings({ RESULTS_JURISDICTION: jurisdiction }: Settings): void {
  if (jurisdiction === undefined) return;
  throw new CommandError(
    "RESULTS_JURISDICTION is for Cloudflare: here the results are on this machine. Leave it empty.",
  );
}
