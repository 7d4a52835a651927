/** JSON with images: its contents, and the field that was probably meant by an unknown one. */
import { expect, it } from "vitest";
import { readImages } from "../../../worker/http/image-json.ts";
import { nearest } from "../../../worker/validation/nearest.ts";

const options = { maxImages: 3, parameters: ["top", "min", "model", "crop", "region"] };
const record = { ...options, record: true };

it.each([
  ["a text", "AAAA", "AAAA", {}],
  ["an image", { image: "AAAA" }, "AAAA", {}],
  ["eKuiper's field", { self: "AAAA" }, "AAAA", {}],
  ["parameters", { image: "AAAA", top: 3, min: "0.5", model: null }, "AAAA", { top: "3", min: "0.5" }],
  ["a list", ["AAAA", { image: "BBBB", name: "b" }], [{ image: "AAAA" }, { image: "BBBB", name: "b" }], {}],
  ["regions", { image: "AAAA", region: ["a", "b:0,0,1,1"] }, "AAAA", { region: ["a", "b:0,0,1,1"] }],
  ["a rectangle", { image: "AAAA", crop: [0, 0.5, 1, 1] }, "AAAA", { crop: "0,0.5,1,1" }],
  ["a list in a field", { images: [{ self: "AAAA" }], top: 1 }, [{ image: "AAAA" }], { top: "1" }],
])("%s", (_, json, images, parameters) => {
  const content = readImages(json, options);
  expect(content.images).toEqual(images);
  expect({ ...content.parameters }).toEqual(parameters);
});

it.each([
  ["other fields", { image: "AAAA", ts: 1, meta: { a: [] }, top: 2 }, { top: "2" }],
  ["alone in a list", [{ self: "AAAA", ts: 1 }], {}],
  ["a text alone in a list", ["AAAA"], {}],
  ["both names of an image", { image: "AAAA", self: "BBBB" }, {}],
  ["a field images of its own", { image: "AAAA", images: 7 }, {}],
])("a record may have %s", (_, json, parameters) => {
  const content = readImages(json, record);
  expect(content.images).toBe("AAAA");
  expect({ ...content.parameters }).toEqual(parameters);
});

it.each([
  [7, /neither base64/],
  [null, /neither base64/],
  [[], /list of images is empty/],
  [{}, /has no image: its fields are none/],
  [{ picture: "AAAA" }, /no field "picture"/],
  [{ imgae: "AAAA" }, /no field "imgae"; do you mean "image"\?/],
  [{ ["x".repeat(200)]: 1 }, /no field "x{100}…"\. /],
  [{ image: 7 }, /image: must be a string/],
  [{ image: "AAAA", images: [] }, /both "image" and "images"/],
  [{ image: "AAAA", self: "AAAA" }, /both "image" and "self"/],
  [["AAAA", { image: "AAAA", ts: 1 }], /Image 2 of the list: there is no field "ts"/],
  [["AAAA", {}], /Image 2 of the list .* image: is missing/],
  [[{ image: "AAAA", name: "x".repeat(256) }], /name: must be a text of at most 255 characters/],
  [["A", "A", "A", "A"], /4 images and the limit is 3/],
])("%j is refused", (json, message) => {
  expect(() => readImages(json, options)).toThrow(message);
});

it("a record without an image says which fields it has", () => {
  expect(() => readImages({ ts: 1, frame: "AAAA" }, record)).toThrow(/its fields are "ts", "frame"/);
  expect(() => readImages({ image: "AAAA", top: {} }, record)).toThrow(/top: must be a short text or a number/);
});

it("the nearest name is the one with the fewest letters to change", () => {
  expect(nearest("imgae", ["image", "images", "model"])).toBe("image");
  expect(nearest("MODLE", ["image", "images", "model"])).toBe("model");
  expect(nearest("zzzz", ["top"])).toBe(undefined);
  expect(nearest("x".repeat(100_000), ["image"])).toBe(undefined);
});
