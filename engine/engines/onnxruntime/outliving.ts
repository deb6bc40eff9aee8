/**
 * Keeps a session until nothing that it made is held any more. What lies on a device is given back through the session that
 * made it: one that is gone by then ends the process.
 */
export class Outliving {
  readonly #release: () => Promise<void>;
  #held = 0;
  #ended: Promise<void> | undefined;
  #unheld: () => void = () => undefined;

  constructor(release: () => Promise<void>) {
    this.#release = release;
  }

  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Something that the session made is held until what this returns is called. */
  hold(): () => void {
    this.#held++;
    return () => {
      this.#held--;
      if (this.#held === 0) this.#unheld();
    };
  }

  /** The session is not run any more; it is let go at once where nothing is held, and else with the last that is. */
  end(): Promise<void> {
    if (this.#ended !== undefined) return this.#ended;
    if (this.#held === 0) this.#ended = this.#release();
    else {
      this.#ended = Promise.resolve();
      this.#unheld = () => void this.#release();
    }
    return this.#ended;
  }
}
