/** An array of a weight under training. */
interface Weight {
  readonly name: string;
  readonly data: Float32Array;
}

/** Weights whose zeros stay zeros: a removed weight does not come back. */
export class HeldZeros {
  readonly names: ReadonlySet<string>;
  /** 1 where an element may move, by name. */
  readonly #free = new Map<string, Uint8Array>();

  constructor(names: readonly string[] = []) {
    this.names = new Set(names);
  }

  /** What is 0 now is held at 0 from now on, and nothing else. */
  remember(weights: readonly Weight[]): void {
    for (const { name, data } of weights) {
      if (!this.names.has(name)) continue;
      const free = this.#free.get(name) ?? new Uint8Array(data.length);
      for (let i = 0; i < data.length; i++) free[i] = Number((data[i] as number) !== 0);
      this.#free.set(name, free);
    }
  }

  /** Sets everything to 0 that is held there. */
  apply(weights: readonly Weight[]): void {
    for (const { name, data } of weights) {
      const free = this.#free.get(name);
      if (free === undefined) continue;
      for (let i = 0; i < data.length; i++) if ((free[i] as number) === 0) data[i] = 0;
    }
  }

  /** What a weight of so many elements is multiplied by. */
  mask(name: string, length: number): Float32Array<ArrayBuffer> {
    const free = this.#free.get(name);
    return free === undefined ? new Float32Array(length).fill(1) : Float32Array.from(free);
  }
}
