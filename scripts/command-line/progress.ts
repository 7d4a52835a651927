/** A progress bar on stderr, for people only: where stderr is no terminal nothing is drawn. */

const WIDTH = 30;

export class Progress {
  readonly #total: number | undefined;
  readonly #shown = process.stderr.isTTY === true;
  readonly #start = Date.now();

  /** @param total How many steps there are, if that is known. */
  constructor(total?: number) {
    this.#total = total;
  }

  get #worthwhile(): boolean {
    return this.#total === undefined || this.#total >= 2;
  }

  /** @param done How many steps are done. */
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

  /** Takes the bar away, so that something else can be printed. */
  clear(): void {
    if (this.#shown && this.#worthwhile) process.stderr.write("\r\x1b[K");
  }
}
