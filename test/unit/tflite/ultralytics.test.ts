/** The metadata that Ultralytics packs behind its models. */
import { expect, it } from "vitest";
import { readUltralytics } from "../../../worker/tflite/ultralytics.ts";

it.each([
  [
    "as Python prints it",
    `{'description': 'Ultralytics YOLOv8n-cls model', 'author': 'Ultralytics', 'task': 'classify', 'names': {0: 'tench', 1: "it's"}}`,
  ],
  [
    "as JSON",
    '{\n "description": "Ultralytics YOLOv8n-cls model",\n "author": "Ultralytics",\n "names": {\n  "0": "tench",\n  "1": "it\'s"\n }\n}',
  ],
])("is read %s", (_, text) => {
  expect(readUltralytics(text)).toEqual({ description: "Ultralytics YOLOv8n-cls model", labels: "tench\nit's" });
});

it.each([
  "tench\nhen\n",
  "{'author': 'Ultralytics'}",
  "{'author': 'Ultralytics', 'names': {1: 'a'}}",
  "{'author': 'somebody', 'names': {0: 'a'}}",
])("is nothing else: %j", (text) => {
  expect(readUltralytics(text)).toBeUndefined();
});
