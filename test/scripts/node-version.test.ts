import { expect, it } from "vitest";
import { refuseNode } from "../../scripts/run/node-version.mjs";

it.each(["18.20.8", "20.19.5", "8.0.0"])("refuses Node %s, and names the version that is needed", (version) => {
  expect(refuseNode(">=20.20", version)).toMatch(`needs Node 20.20 or newer, and this is ${version}`);
});

it.each(["20.20.0", "20.20.2", "22.1.0", "100.0.0"])("accepts Node %s", (version) => {
  expect(refuseNode(">=20.20", version)).toBeUndefined();
});
