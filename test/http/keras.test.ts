/** npm run model -- add with models of Keras and TensorFlow.js: the labeler answers what the frameworks compute. */
import { describe, expect, it } from "vitest";
import { compareNetworks } from "../../scripts/fixtures/keras/compare.ts";

describe("a converted model", () => {
  it("answers within 1e-5 of Keras or TensorFlow.js on ten photos", { timeout: 300_000 }, async () => {
    const rows = await compareNetworks("test/fixtures/keras");
    expect(rows.map(({ network, file }) => `${network}/${file}`).sort()).toEqual([
      "functional-2/model.h5",
      "functional-2/model.keras",
      "functional-3/model.h5",
      "functional-3/model.keras",
      "layers-3/model.h5",
      "layers-3/model.keras",
      "teachable/model.h5",
      "teachable/model.keras",
      "teachable/tfjs-float16/model.json",
      "teachable/tfjs-uint16/model.json",
      "teachable/tfjs-uint8/model.json",
      "teachable/tfjs/model.json",
    ]);
    for (const row of rows) {
      expect(row, JSON.stringify(row)).toMatchObject({ guessed: false, rightRange: true });
      expect(row.difference, JSON.stringify(row)).toBeLessThan(1e-5);
    }
  });
});
