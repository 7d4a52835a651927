/** npm run model -- add with graph models of TensorFlow.js: the labeler answers what TensorFlow.js and TensorFlow compute. */
import { describe, expect, it } from "vitest";
import { compareNetworks } from "../../scripts/fixtures/keras/compare.ts";

describe("a converted graph model", () => {
  it("answers within 1e-5 of TensorFlow.js and TensorFlow on ten photos", { timeout: 300_000 }, async () => {
    const rows = await compareNetworks("test/fixtures/graph-models");
    expect(rows.map(({ network, file }) => `${network}/${file}`).sort()).toEqual([
      "layers/graph/model.json",
      "operations/graph/model.json",
      "pixels/graph-float16/model.json",
      "pixels/graph-uint16/model.json",
      "pixels/graph-uint8/model.json",
      "pixels/graph/model.json",
    ]);
    for (const row of rows) {
      expect(row, JSON.stringify(row)).toMatchObject({ guessed: false, rightRange: true });
      expect(row.difference, JSON.stringify(row)).toBeLessThan(1e-5);
    }
  });
});
