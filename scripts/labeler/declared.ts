/** Reads the declarations of wrangler.toml about the Worker. */
import type { Declared } from "./workerd-config.ts";

export async function readDeclared(): Promise<Declared> {
  // Imported here, since loading wrangler takes a second, for which a usage error need not wait.
  const { unstable_readConfig } = await import("wrangler");
  const { compatibility_date, compatibility_flags, vars } = unstable_readConfig(
    { config: "wrangler.toml" },
    { hideWarnings: true },
  );
  if (compatibility_date === undefined) throw new Error("wrangler.toml has no compatibility_date");
  return {
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    vars: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)])),
  };
}
