/** The groups of ImageNet's classes, which are shipped with each model of these classes. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { parseGroups } from "../../../worker/model/groups.ts";
import { parseLabels } from "../../../worker/model/labels.ts";
import { makeVocabulary } from "../../../worker/model/vocabulary.ts";

const MODELS = ["efficientnet_lite0", "mobilenet_v1_1.0_224", "mobilenet_quant_v1_224"];

const read = async (path: string): Promise<string> => {
  const { MODELS: folder } = env as unknown as { MODELS: Fetcher };
  const response = await folder.fetch(`http://models/${path}`);
  expect(response.status).toBe(200);
  return response.text();
};

const texts = await Promise.all(MODELS.map((name) => read(`${name}/groups.txt`)));
const groups = parseGroups(texts[0], "groups.txt");

it("are the same for each", () => {
  expect(new Set(texts).size).toBe(1);
});

it.each(MODELS)(
  "are made of labels of %s, each in one group at most, and all that it answers is one or the other",
  async (name) => {
    const labels = parseLabels(await read(`${name}/labels.txt`));
    const grouped = [...groups.values()].flat();
    expect(new Set(grouped).size).toBe(grouped.length);
    const vocabulary = makeVocabulary(labels, { groups });
    expect(vocabulary.labels.length).toBe(groups.size + labels.length - grouped.length);
    expect(vocabulary.members?.flat().sort((a, b) => a - b)).toEqual(labels.map((_, index) => index));
  },
);

it("are about forty, and have what an edge looks for", () => {
  expect(groups.size).toBe(42);
  const of = (label: string) => [...groups].find(([, labels]) => labels.includes(label))?.[0];
  expect(of("85:peacock")).toBe("bird");
  expect(of("208:golden retriever")).toBe("dog");
  expect(of("282:tabby, tabby cat")).toBe("cat");
  expect(of("518:crane")).toBeUndefined();
  expect(of("135:crane")).toBe("bird");
  expect(of("964:pizza, pizza pie")).toBe("food");
  expect(of("675:mousetrap")).toBeUndefined();
  expect(of("656:miniskirt, mini")).toBe("clothing");
  expect(of("867:tractor")).toBe("vehicle");
  expect(of("588:hammer")).toBe("tool");
});
