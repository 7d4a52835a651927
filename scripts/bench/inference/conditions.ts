/** The processors that V8's flags can make of this one. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

export interface Condition {
  readonly name: string;
  /** Of V8. */
  readonly flags: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** What V8 can use of it: its instructions for products of bytes are AVX-VNNI's, not those of AVX-512. */
  readonly features: { readonly avxVnni: boolean; readonly avx512Vnni: boolean; readonly fma: boolean };
}

export function machine(): Machine {
  const flags = new Set(
    readFileSync("/proc/cpuinfo", "utf8")
      .match(/^flags\s*:(.*)$/m)?.[1]
      .split(" ") ?? [],
  );
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    node: process.version,
    features: { avxVnni: flags.has("avx_vnni"), avx512Vnni: flags.has("avx512_vnni"), fma: flags.has("fma") },
  };
}

const NO_VNNI = "--no-enable-avx-vnni";
const NO_FMA = "--no-enable-fma3";

/** As it is, and with each part of it switched off that it has. */
export function conditions({ features }: Machine): Condition[] {
  const found: Condition[] = [{ name: "as it is", flags: [] }];
  if (features.avxVnni) found.push({ name: "no AVX-VNNI", flags: [NO_VNNI] });
  if (features.fma) {
    found.push({
      name: features.avxVnni ? "no AVX-VNNI, no FMA" : "no FMA",
      flags: features.avxVnni ? [NO_VNNI, NO_FMA] : [NO_FMA],
    });
  }
  return found;
}
