/** Derives why workerd ended or fails from its stderr, whose messages are written for workerd's developers. */

export interface Surroundings {
  /** The folder of the results. */
  readonly results: string;
}

/** How to have more file descriptors: the end of a sentence that says that none are left. */
export const MORE_DESCRIPTORS =
  "of which each connection takes two. Raise the limit (ulimit -n, LimitNOFILE= of systemd), and bound the connections in " +
  "a proxy (limit_conn of nginx).";

const CAUSES: readonly [pattern: RegExp, explain: (surroundings: Surroundings) => string][] = [
  [/Too many open files/, () => `It had no file descriptors left, ${MORE_DESCRIPTORS}`],
  [
    /SQLITE_(NOTADB|CORRUPT)/,
    ({ results }) =>
      `The database of the results in ${results} is damaged. Stop the labeler, move that folder away or put a copy in its ` +
      "place, and start the labeler: without the folder it begins anew.",
  ],
  [
    /SQLITE_FULL|No space left on device/,
    ({ results }) => `There is no space left on the disk of ${results}. Free some.`,
  ],
  [
    /SQLITE_(READONLY|CANTOPEN|PERM|IOERR)|Read-only file system|Permission denied/,
    ({ results }) =>
      `The database of the results in ${results} cannot be read or written. Look at the disk and the folder.`,
  ],
  [
    /No CA certificates were loaded/,
    () =>
      "A push target with https needs certificate authorities, and this machine has none. Install them (ca-certificates of " +
      "Debian), or name a file with them in SSL_CERT_FILE.",
  ],
  [/Address already in use/, () => "Another program listens at its address."],
];

/** How many characters of stderr are searched: the message of a cause may arrive in two chunks. */
const TAIL = 8192;

/** Reads the output of a process and recognises the cause of its failure. */
export class LastWords {
  readonly #surroundings: Surroundings;
  #tail = "";
  /** The cause and its fix, in sentences; undefined as long as no cause was recognised. */
  cause: string | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  hear(text: string): void {
    this.#tail = (this.#tail + text).slice(-TAIL);
    this.cause ??= CAUSES.find(([pattern]) => pattern.test(this.#tail))?.[1](this.#surroundings);
  }
}
