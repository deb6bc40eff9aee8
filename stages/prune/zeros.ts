/** Zeros that a share asks of `elements`: rounded up, so that the share is reached. */
const zerosFor = (share: number, elements: number): number => Math.min(elements, Math.ceil(share * elements));

/** Zeros part by part: what rounding leaves to one part the next makes up for, so that all together have the share to the very unit. */
export class Quota {
  readonly #share: number;
  #units = 0;
  #given = 0;

  constructor(share: number) {
    this.#share = share;
  }

  /** Of the next so many units. */
  take(units: number): number {
    this.#units += units;
    const until = zerosFor(this.#share, this.#units);
    const taken = until - this.#given;
    this.#given = until;
    return taken;
  }
}

/** The share that rounding up makes this count of. */
export const shareFor = (count: number, units: number): number => Math.max(0, (count - 0.5) / units);
