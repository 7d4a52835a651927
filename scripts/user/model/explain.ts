/** `npm run model -- explain NAME`: compiles a model in a workerd of this machine and measures the steps of its plan. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Precision } from "../../../worker/model/precision-name.ts";
import { oneOf } from "../../../worker/validation/words.ts";
import { indexModels } from "../../build/model-index.ts";
import { CommandError } from "../../command-line/command.ts";
import { bundleNetworkWorker } from "../../labeler/bundle-network-worker.ts";
import { startWorker, WorkerProcess } from "../../labeler/worker-process.ts";
import { V8_FLAGS } from "../../labeler/workerd-config.ts";
import type { Explained } from "./explain-worker.ts";
import { findModel } from "./installed.ts";

interface ExplainOptions {
  /** The model's own unless given. */
  readonly precision?: string | undefined;
  /** Whether to compile for a CPU that lacks a dot product of bytes, whatever this one has. */
  readonly plain?: boolean;
}

/**
 * Compiles a model in workerd and measures its steps.
 *
 * @param name The name of a model; a derived model is computed by its base's plan.
 * @throws CommandError if the model, the precision or a plan does not exist.
 */
export async function explainModel(
  models: string,
  name: string,
  { precision, plain = false }: ExplainOptions = {},
): Promise<Explained> {
  const entry = findModel(await indexModels(models), name);
  const { error, precisions = [], noPlan } = entry;
  if (error !== undefined) throw new CommandError(`${name} cannot be used. ${error}`, 1);
  if (precision !== undefined && !precisions.includes(precision as Precision)) {
    throw new CommandError(`--precision ${precision}: ${name} can be ${oneOf(precisions)}.`);
  }
  if (noPlan !== undefined) throw new CommandError(`${name} runs operator by operator, not as a plan: ${noPlan}.`, 1);
  const folder = mkdtempSync(join(tmpdir(), "edge-labeler-explain-"));
  try {
    const source = "scripts/user/model/explain-worker.ts";
    const config = await bundleNetworkWorker({ source, folder, models, v8Flags: V8_FLAGS });
    const worker = new WorkerProcess(await startWorker(config));
    try {
      const query = new URLSearchParams({
        model: entry.base ?? name,
        precision: precision ?? entry.precision ?? "exact",
        ...(plain && { dot: "off" }),
      });
      const answer = await worker.ask<Explained | { noPlan: string }>(`/?${query}`);
      if ("noPlan" in answer) throw new CommandError(`${name} has no plan on this CPU: ${answer.noPlan}.`, 1);
      return answer;
    } finally {
      await worker.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
