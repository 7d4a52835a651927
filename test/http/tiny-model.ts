/** Makes folders of models for tests that do not depend on the labels, or that change the folder. */
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The four classes of the tiny networks in test/fixtures/ops. */
export const FOUR_LABELS = "red\ngreen\nblue\ngrey\n";

/** Adds a model of four classes and of no weight to speak of to a folder. `file` is one of test/fixtures/ops. */
export function addTiny(models: string, name: string, { file = "tiny-float.tflite", labels = FOUR_LABELS } = {}): void {
  mkdirSync(join(models, name), { recursive: true });
  cpSync(join("test/fixtures/ops", file), join(models, name, "model.tflite"));
  writeFileSync(join(models, name, "labels.txt"), labels);
}

/** A new folder whose only model is "tiny". To be removed. */
export function tinyModels(): string {
  const models = mkdtempSync(join(tmpdir(), "edge-labeler-models-"));
  addTiny(models, "tiny");
  return models;
}
