/** The head of a part of a multipart body, as clients write it: with and without quotes, folded, ended by CR LF or by LF. */

export interface PartHead {
  /** The field that the part belongs to. */
  readonly name: string | undefined;
  /** Undefined where the part is no file; empty where a browser's user has chosen none. */
  readonly fileName: string | undefined;
  /** The media type in lower case, without parameters. */
  readonly type: string | undefined;
  /** Content-Transfer-Encoding in lower case. */
  readonly transferEncoding: string | undefined;
}

/** `; name="value"` or `; name=value`. A quote that is not closed ends with the line. */
const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))/g;

/**
 * The parameters behind the first word of a header's value, by their names in lower case; of several of one name the first.
 *
 * @example parametersOf('form-data; name=image; filename="a;b.jpg"').get("filename") === "a;b.jpg"
 */
export function parametersOf(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain = ""] of value.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    // Browsers escape nothing but quotes, and Windows has backslashes in its paths.
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(["\\])/g, "$1") ?? plain.trim());
  }
  return parameters;
}

/** RFC 8187, `utf-8''na%C3%AFve.jpg`; undefined if it is not that. */
function extendedValue(value: string | undefined): string | undefined {
  const [, charset, encoded = ""] = /^(utf-8|iso-8859-1)'[^']*'(.*)$/i.exec(value ?? "") ?? [];
  if (charset === undefined) return undefined;
  const bytes = new Uint8Array(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; at++) {
    const hex = encoded[at] === "%" ? encoded.slice(at + 1, at + 3) : "";
    if (/^[\da-f]{2}$/i.test(hex)) at += 2;
    bytes[length++] = hex === "" ? encoded.charCodeAt(at) : Number.parseInt(hex, 16);
  }
  return new TextDecoder(charset).decode(bytes.subarray(0, length));
}

/** Reads a part's headers. Whatever does not look like a header is passed over. @param bytes Without the empty line behind them. */
export function parsePartHead(bytes: Uint8Array): PartHead {
  const headers = new Map<string, string>();
  const unfolded = new TextDecoder().decode(bytes).replace(/\r?\n[ \t]+/g, " ");
  for (const line of unfolded.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const disposition = parametersOf(headers.get("content-disposition") ?? "");
  const firstWord = (header: string) => headers.get(header)?.split(";", 1)[0]?.trim().toLowerCase();
  return {
    name: disposition.get("name"),
    fileName: extendedValue(disposition.get("filename*")) ?? disposition.get("filename"),
    type: firstWord("content-type"),
    transferEncoding: firstWord("content-transfer-encoding"),
  };
}
