/** The settings of results and push: valid values, and the messages about others. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { settingsOf } from "../../../worker/settings/settings.ts";

const settings = (more: Record<string, string>) => settingsOf({ ...env, ...more } as typeof env);

it.each([
  ["", []],
  ["http://10.0.0.1:10081/labels", ["http://10.0.0.1:10081/labels"]],
  ["http://a/x, https://b/y?z=1", ["http://a/x", "https://b/y?z=1"]],
  ['["http://a/x","http://a/x","http://b"]', ["http://a/x", "http://b"]],
])("reads the push targets %j", (text, targets) => {
  expect(settings({ PUSH_TARGETS: text }).PUSH_TARGETS).toEqual(targets);
});

it.each(["ftp://a/x", "gateway:10081/labels", "http://user:password@a/x", "labels"])(
  "refuses the push target %s",
  (text) => {
    expect(() => settings({ PUSH_TARGETS: text })).toThrow(/PUSH_TARGETS.*must be http:\/\/ or https:\/\//);
  },
);

it("takes ages as days, in fractions too, and counts as whole numbers", () => {
  const { RESULTS_MAX_AGE_DAYS, RESULTS_MAX_COUNT } = settings({ RESULTS_MAX_AGE_DAYS: "0.5", RESULTS_MAX_COUNT: "7" });
  expect([RESULTS_MAX_AGE_DAYS, RESULTS_MAX_COUNT]).toEqual([0.5, 7]);
  expect(() => settings({ RESULTS_MAX_AGE_DAYS: "0" })).toThrow(/RESULTS_MAX_AGE_DAYS.*above 0/);
  expect(() => settings({ RESULTS_MAX_AGE_DAYS: "a week" })).toThrow(/number of days/);
  expect(() => settings({ RESULTS_MAX_COUNT: "0" })).toThrow(/RESULTS_MAX_COUNT/);
});
