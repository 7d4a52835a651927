/**
 * What the caller did wrong, as one class: everything else that is thrown is a bug and becomes a 500 without detail.
 * Knows nothing of HTTP but the status number that fits each kind of mistake.
 */

/** The kinds of mistake: the slug that a client can switch on, its HTTP status and its title. */
export const KINDS = {
  "bad-parameter": [400, "A parameter is invalid"],
  "bad-body": [400, "The body cannot be read"],
  "bad-host": [400, "The Host header is invalid"],
  unauthorized: [401, "A valid bearer token is required"],
  "insufficient-scope": [403, "The token does not have the required scope"],
  "foreign-origin": [403, "Pages of other origins may not call this labeler"],
  "foreign-host": [403, "The labeler does not answer to this host name"],
  "not-found": [404, "Not found"],
  "unknown-model": [404, "The model is not installed"],
  "method-not-allowed": [405, "The method is not allowed"],
  "body-too-large": [413, "The body is too large"],
  "too-many-images": [413, "The request has too many images"],
  "image-too-large": [413, "The image has too many pixels"],
  "unsupported-encoding": [415, "The content encoding is not supported"],
  "unsupported-image": [415, "The image format is not supported"],
  "broken-image": [422, "The image cannot be decoded"],
  "too-many-requests": [429, "Too many requests"],
  "cut-off": [400, "The body ended too early"],
  "no-explanation": [422, "The network cannot explain a label"],
  "no-features": [422, "The network gives no features"],
  "too-slow": [408, "The body arrived too slowly"],
  "model-unusable": [500, "The model is installed but cannot be used"],
  busy: [503, "The labeler is busy"],
  "model-unavailable": [503, "The model could not be loaded"],
  "storage-broken": [503, "The results cannot be read or written"],
  "storage-full": [507, "No space is left for results"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ErrorKind = keyof typeof KINDS;

/**
 * A mistake with a known cause and a known fix.
 *
 * @example throw new LabelerError("unsupported-image", "This is a HEIC image. Send a JPEG or a PNG.");
 */
export class LabelerError extends Error {
  override readonly name = "LabelerError";
  readonly kind: ErrorKind;
  /** When it is worth another try, in seconds: a whole number. */
  readonly retryAfter: number | undefined;

  /** @param detail What is wrong in this very case, and how to fix it, in sentences for a person. */
  constructor(kind: ErrorKind, detail: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    super(detail, options);
    this.kind = kind;
    this.retryAfter = options.retryAfter ?? (this.status === 503 ? 1 : undefined);
  }

  /** The HTTP status that fits this kind. */
  get status(): number {
    return KINDS[this.kind][0];
  }

  /** A title that is the same for every error of this kind. */
  get title(): string {
    return KINDS[this.kind][1];
  }
}

const IMAGE_FAULTS: ReadonlySet<ErrorKind> = new Set([
  "bad-body",
  "body-too-large",
  "image-too-large",
  "unsupported-image",
  "broken-image",
]);

/** Whether an error is a single image's fault, so that the next image may well be fine. */
export const isImageFault = (error: LabelerError): boolean => IMAGE_FAULTS.has(error.kind);
