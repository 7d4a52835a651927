/** The header traceparent, with the valid and invalid values of the specification's own examples and rules. */
import { expect, it } from "vitest";
import { parseTraceparent } from "../../../worker/observability/traceparent.ts";

const [TRACE, SPAN] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];

it.each([
  `00-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-00`,
  ` 00-${TRACE}-${SPAN}-01 `,
  `01-${TRACE}-${SPAN}-01`, // a later version
  `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`,
])("%s is read", (header) => {
  expect(parseTraceparent(header)).toEqual({ traceId: TRACE, parentId: SPAN });
});

it.each([
  undefined,
  "",
  "00",
  `ff-${TRACE}-${SPAN}-01`, // forbidden version
  `00-${TRACE}-${SPAN}-01-more`,
  `cc-${TRACE}-${SPAN}-01.what-the-future-will-not-be-like`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE.slice(1)}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}0-01`,
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-0x`,
  `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, // sent twice
  `00-${TRACE}-${SPAN}-01\n{"status":200}`,
])("%j is ignored", (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
