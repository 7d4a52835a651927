/** The boundary of a multipart body. */
import { LabelerError } from "../../errors.ts";
import { parametersOf } from "./part-head.ts";

/** RFC 2046 has 70 characters, and some clients more. */
const MAX_BOUNDARY = 200;

/** Whether a body says that it is a form. */
export const isMultipart = (contentType: string): boolean => /^\s*multipart\//i.test(contentType);

/**
 * @param beginning Of the body: its first line has the boundary where a client has set the Content-Type by hand, without it.
 * @throws LabelerError of kind bad-body if it is in neither, or too long.
 */
export function boundaryOf(contentType: string, beginning: Uint8Array): string {
  const named = parametersOf(contentType).get("boundary");
  const [, first] = /^--(\S+)[ \t]*\r?\n/.exec(new TextDecoder("latin1").decode(beginning)) ?? [];
  const boundary = named || first;
  if (boundary === undefined) {
    throw new LabelerError(
      "bad-body",
      "The Content-Type of the form does not name its boundary. Let your HTTP client set this header: it knows the boundary.",
    );
  }
  if (boundary.length <= MAX_BOUNDARY) return boundary;
  const detail = `The boundary of the form has ${boundary.length} characters; ${MAX_BOUNDARY} are allowed.`;
  throw new LabelerError("bad-body", detail);
}
