/** docs/reference/models.md has all operations of graph models that can be converted, and no others. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { NODE_OPERATIONS } from "../../scripts/user/model/convert/graph/registry.ts";

const [, section = ""] = readFileSync("docs/reference/models.md", "utf8").split("### Graph models\n");
const rows = section.split(/\n##/)[0]?.match(/^\|.*\|$/gm) ?? [];

it("lists the operations", () => {
  const listed = rows.flatMap((row) => row.match(/(?<=`)\w+(?=`)/g) ?? []);
  expect(listed.toSorted()).toEqual([...NODE_OPERATIONS, "Const", "Placeholder", "Erf"].toSorted());
});
