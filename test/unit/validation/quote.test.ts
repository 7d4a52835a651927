/** How values of callers are quoted in messages. */
import { expect, it } from "vitest";
import { cut, listNames, quote } from "../../../worker/validation/quote.ts";

it.each([
  ["a text", "abc", '"abc"'],
  ["quotes in it", 'a"b', '"a\\"b"'],
  ["control characters", "a\n\u0007b", '"a  b"'],
  ["half of a surrogate pair", "\ud83d", '"\ufffd"'],
  ["a long text", "x".repeat(12e6), `"${"x".repeat(100)}…"`],
  ["a number", 1.5, "1.5"],
  ["nothing", undefined, "undefined"],
  ["a list", [1, 224], "[1,224]"],
  ["a long list", Array(1000).fill(1), `[${"1,".repeat(49)}1…`],
])("%s", (_, value, expected) => {
  expect(quote(value)).toBe(expected);
});

it("a cut text is as long as is said, and one that fits is whole", () => {
  expect(cut("x".repeat(101))).toBe(`${"x".repeat(100)}…`);
  expect(cut("x".repeat(100))).toBe("x".repeat(100));
  expect(cut("abc", 2)).toBe("ab…");
});

it("of many names the first three are listed", () => {
  expect(listNames(["a"])).toBe("a");
  expect(listNames(["a", "b", "c"])).toBe("a, b, c");
  expect(listNames(["a", "b", "c", "d", "e"])).toBe("a, b, c and 2 more");
});
