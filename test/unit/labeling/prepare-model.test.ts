/** How a request holds on to a model that it has asked for. */
import { expect, it } from "vitest";
import { prepareModel } from "../../../worker/labeling/prepare-model.ts";
import { Catalogue } from "../../../worker/model/catalogue.ts";
import { fixture } from "../files.ts";
import { encode, ModelFolder } from "../model/model-folder.ts";

it("keeps each request alive until its model is loaded, also by another one: its image may be refused before", async () => {
  const files = { "a/model.tflite": await fixture("ops/tiny-float.tflite"), "a/labels.txt": encode("r\ng\nb\ngrey\n") };
  const { source } = await ModelFolder.of(files, [{ name: "a" }]);
  const catalogue = new Catalogue({ cacheBytes: 1e6 });
  const another = () => {
    const ends: Promise<unknown>[] = [];
    const own = { ...source, keepAlive: (work: Promise<unknown>) => void ends.push(work) };
    return { ends, context: { catalogue, source: own, defaultModel: "a", maxPixels: 1e6 } };
  };
  const requests = [another(), another()];
  const models = await Promise.all(requests.map(({ context }) => prepareModel({}, context)));
  for (const { ends } of requests) expect(ends.length).toBeGreaterThan(0);
  await Promise.all(requests.flatMap(({ ends }) => ends));
  expect(catalogue.residentBytes).toBeGreaterThan(0);
  expect((await models[0]?.classifier())?.labels).toEqual(["r", "g", "b", "grey"]);
});
