/** A progress bar on stderr, for people only: nothing is drawn unless stderr is a terminal. */

const WIDTH = 30;

export class Progress {
  readonly #total: number | undefined;
  readonly #shown = process.stderr.isTTY === true;
  readonly #start = Date.now();

  /** @param total The number of steps, if it is known. */
  constructor(total?: number) {
    this.#total = total;
  }

  get #worthwhile(): boolean {
    return this.#total === undefined || this.#total >= 2;
  }

  /** @param done The number of steps that are done. */
  show(done: number): void {
    if (!this.#shown || !this.#worthwhile) return;
    if (this.#total === undefined) {
      process.stderr.write(`\r\x1b[K${done}`);
      return;
    }
    const filled = Math.round((WIDTH * done) / this.#total);
    const left =
      done === 0 ? "" : `, ${Math.ceil(((Date.now() - this.#start) / 1000 / done) * (this.#total - done))} s left`;
    process.stderr.write(`\r\x1b[K${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${done}/${this.#total}${left}`);
  }

  /** Removes the bar, so that something else can be printed. */
  clear(): void {
    if (this.#shown && this.#worthwhile) process.stderr.write("\r\x1b[K");
  }
}
