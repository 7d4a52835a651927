/** Checks whether the labeler accepts the parameters of SQL functions, before rules call them. */
import { readFile } from "node:fs/promises";
import { post } from "./as-rule.ts";
import type { Check } from "./checks.ts";
import type { Labeler } from "./service.ts";
import { described, pathOf, QUERY_HEADER, type SqlFunction } from "./sql-function.ts";

const IMAGE = new URL("../../../test/fixtures/coffee-96.webp", import.meta.url);

async function checkFunction({ url, token }: Labeler, own: SqlFunction, image: Uint8Array): Promise<Check | undefined> {
  const headers = { [QUERY_HEADER]: own.query, ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
  const answer = await post({ name: own.name, url: `${url}/ekuiper/${pathOf(own)}`, headers }, image);
  const name = `function ${own.name}`;
  if (answer.kind === "taken") return { name, state: "ok", detail: `the labeler takes ${own.query}` };
  // Other checks report a labeler that is away or refuses the token.
  if (answer.kind === "unreachable" || /^40[13]/.test(answer.reason)) return undefined;
  const fix = `npm run model -- list shows the models. Name the function anew: --function ${own.name}=MODEL?PARAMETERS`;
  return { name, state: "error", detail: `The labeler refuses ${described(own)}: ${answer.reason}`, fix };
}

/** One check for each function, as far as the labeler answers this machine. */
export async function checkFunctions(labeler: Labeler, functions: readonly SqlFunction[]): Promise<Check[]> {
  if (functions.length === 0) return [];
  const image = await readFile(IMAGE);
  const checks = await Promise.all(functions.map((own) => checkFunction(labeler, own, image)));
  return checks.filter((check) => check !== undefined);
}
