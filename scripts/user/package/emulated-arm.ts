/** Processors of the ARM kind, emulated by QEMU, which run workerd for linux-arm64. */
import { existsSync } from "node:fs";
import { CommandError, fromUser } from "../../command-line/command.ts";
import { copyWorkerd } from "./platforms.ts";

export const QEMU = "/usr/bin/qemu-aarch64";
/** C libraries of ARM. */
export const ARM_ROOT = "/usr/aarch64-linux-gnu";

/** Processors by QEMU's names: all that ARM has, and that of a Raspberry Pi 4, which has no dot product. */
export const ARM_CPUS = ["max", "cortex-a72"] as const;

/** @throws CommandError if a program is missing. */
export function needEmulator(): void {
  for (const needed of [QEMU, ARM_ROOT]) {
    if (!existsSync(needed))
      throw new CommandError(`${needed} is missing: install qemu-user and libc6-arm64-cross.`, 1);
  }
}

/**
 * The path of workerd for linux-arm64.
 *
 * @param given The user's own; npm's package of it is downloaded unless there is one.
 * @param file Where it is put then.
 */
export function workerdForArm(given: string | undefined, file: string): string {
  if (given !== undefined) return fromUser(given);
  copyWorkerd("linux-arm64", file);
  return file;
}
