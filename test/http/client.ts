/** What the black-box tests share: images, and calls whose responses are validated against the schemas. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

export interface Label {
  confidence: number;
  label: string;
}

/** A file in test/fixtures. */
export const fixture = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join("test/fixtures", name)));

/** The folder of reference data, if there is one. */
export const referenceFolder = process.env.LABELER_REFERENCE;

export const post = (url: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: "POST", body, headers });

/** The labels of an answer that must be a 200. */
export async function labelsOf(response: Response): Promise<Label[]> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  return JSON.parse(text) as Label[];
}

/** Requires a problem (RFC 9457) of this status and kind, whose detail matches. */
export async function expectProblem(response: Response, status: number, kind: string, detail: RegExp): Promise<void> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = JSON.parse(text);
  expect(problem).toMatchObject({ type: `urn:edge-labeler:problem:${kind}`, status });
  expect(problem.title).toMatch(/\w/);
  expect(problem.detail).toMatch(detail);
}
