/**
 * The documents name files, commands, settings and parameters: all of them exist, and the reference pages are complete.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { globSync } from "tinyglobby";
import { describe, expect, it } from "vitest";
import { GENERATED } from "../../scripts/build/docs/generated.ts";
import { withGenerated } from "../../scripts/build/docs/table.ts";
import { KINDS } from "../../worker/errors.ts";
import { explainQuery } from "../../worker/http/query.ts";

const documents = globSync("**/*.md", { ignore: ["**/node_modules", "dist"] });
const read = (path: string) => readFileSync(path, "utf8");
const found = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, name = "", value = ""]) => [name, value]);

/** GitHub's name of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

/** The rows of a document's table whose first column has this head: the first two cells, without backquotes. */
function table(head: string, path: string): string[][] {
  const lines = read(path).split("\n");
  const begin = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const end = lines.indexOf("", begin);
  return lines.slice(begin + 2, end).map((line) => {
    const [, name = "", value = ""] = line.split("|").map((cell) => cell.trim().replaceAll("`", ""));
    return [name, value];
  });
}

describe.each(documents)("%s", (path) => {
  const text = read(path);

  it("links to files and headings that are there", () => {
    const broken = found(text, /\]\(([^)\s]+)\)/g)
      .map(([link = ""]) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file, heading] = link.split("#");
        const target = file ? resolve(dirname(path), file) : resolve(path);
        if (!existsSync(target)) return true;
        return (
          heading !== undefined && !found(read(target), /^#+ (.+)$/gm).some(([name = ""]) => anchor(name) === heading)
        );
      });
    expect(broken).toEqual([]);
  });

  it("puts no token on a command line, which is seen by all", () => {
    const onCommandLine = /--var[= ]"?(?:LABELER_TOKENS?|PUSH_TOKEN):|--token[= ]["'$\w]|curl .*Bearer (?!\$)[\w<]/;
    expect(text.split("\n").filter((line) => onCommandLine.test(line))).toEqual([]);
  });

  it("names npm scripts that are there", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = found(text, /npm run (?:-s )?([a-z][\w:-]*)/g).map(([name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

it("settings.md has the settings of wrangler.toml with their values, in their order", () => {
  const [, vars = ""] = read("wrangler.toml").split(/^\[vars\].*$/m);
  expect(table("setting", "docs/reference/settings.md")).toEqual(found(vars, /^(\w+) = "([^"]*)"/gm));
});

it("http.md has the parameters of /label, and no others", () => {
  const names = table("parameter", "docs/reference/http.md").map(([name]) => name);
  expect(names.toSorted()).toEqual(Object.keys(explainQuery.shape).toSorted());
});

it("commands.md has the scripts of package.json, and no others", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = found(read("docs/reference/commands.md"), /^\| `npm (?:run )?([\w:-]+)`/gm).map(([name = ""]) => name);
  expect(named.toSorted()).toEqual(Object.keys(scripts).toSorted());
});

it("the index has every document in docs/", () => {
  const index = read("docs/README.md") + read("docs/explanation/decisions/README.md");
  const missing = globSync("docs/**/*.md").filter((path) => !index.includes(`${path.split("/").at(-1)})`));
  expect(missing.filter((path) => path !== "docs/README.md")).toEqual([]);
});

it("errors.md has all kinds of error with their status", () => {
  const kinds = Object.entries(KINDS).map(([kind, [status]]) => [kind, String(status)]);
  expect(table("`urn:edge-labeler:problem:`", "docs/reference/errors.md").toSorted()).toEqual(kinds.toSorted());
});

it.each(GENERATED)("$path has the table of $name that npm run docs makes", ({ path, name, make }) => {
  expect(read(path)).toBe(withGenerated(read(path), name, make()));
});

it("show the program that quantises a model as it is", () => {
  expect(read("docs/how-to/add-a-model.md")).toContain(
    `\`\`\`python\n${read("scripts/user/model/quantise.py")}\`\`\`\n`,
  );
});
