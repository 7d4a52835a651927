/**
 * npm run test:arm: the tests of the kernels on processors of the ARM kind, emulated by QEMU. They are the files of
 * test/unit/inference, which compare every kernel with plain loops, in workerd for linux-arm64.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../command-line/command.ts";
import { bundleNetworkWorker } from "../labeler/bundle-network-worker.ts";
import { startWorker, WorkerProcess } from "../labeler/worker-process.ts";
import { V8_FLAGS } from "../labeler/workerd-config.ts";
import { ARM_CPUS, ARM_ROOT, needEmulator, QEMU, workerdForArm } from "../user/package/emulated-arm.ts";
import type { Outcome } from "./test-arm/vitest.ts";

const usage = `npm run test:arm -- [options]: the tests of the kernels on ARM, emulated by QEMU

  --workerd FILE   workerd for linux-arm64; npm's package of it is downloaded unless given
  --cpu CPU        one of the processors, max or cortex-a72
  --every N        only every Nth test (1)

It exits with 1 if a test fails. It needs Debian's packages qemu-user and libc6-arm64-cross.`;

const options = {
  workerd: { type: "string" },
  cpu: { type: "string" },
  every: { type: "string", default: "1" },
} as const;

/** How many tests one request runs. */
const AT_ONCE = 50;
const SHOWN_FAILURES = 20;

/** Runs the tests on one processor. */
async function test(command: readonly string[], config: string, every: number): Promise<Outcome> {
  const worker = new WorkerProcess(await startWorker(config, { command }));
  try {
    let [passed, total] = [0, 1];
    const failures: string[] = [];
    for (let from = 0; from < total; from += AT_ONCE * every) {
      const outcome = await worker.ask<Outcome>(`/?from=${from}&to=${from + AT_ONCE * every}&every=${every}`);
      passed += outcome.passed;
      failures.push(...outcome.failures);
      total = outcome.total;
    }
    return { passed, failures, total };
  } finally {
    await worker.stop();
  }
}

await runCommand({ usage, options }, async ({ workerd, cpu: wanted, every }) => {
  needEmulator();
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-test-arm-"));
  let [passed, failed] = [0, 0];
  try {
    const program = workerdForArm(workerd, join(folder, "workerd"));
    const source = "scripts/verify/test-arm/worker.ts";
    const vitest = "scripts/verify/test-arm/vitest.ts";
    const config = await bundleNetworkWorker({ source, folder, models: folder, v8Flags: V8_FLAGS, vitest });
    for (const cpu of ARM_CPUS.filter((name) => wanted === undefined || name === wanted)) {
      const outcome = await test([QEMU, "-L", ARM_ROOT, "-cpu", cpu, program], config, Number(every));
      console.log(`${cpu}: ${outcome.passed} of ${outcome.passed + outcome.failures.length} tests passed`);
      for (const failure of outcome.failures.slice(0, SHOWN_FAILURES)) console.log(failure);
      passed += outcome.passed;
      failed += outcome.failures.length;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(`${passed} passed, ${failed} failed, 0 skipped`);
  return failed === 0 && passed > 0 ? 0 : 1;
});
