/** Memory that work needs by estimate, and what its user can do where there is less. */
export interface Need {
  readonly bytes: number;
  /** A clause without an end, such as "write batch: 16 and accumulate: 4". */
  readonly advice: string;
}

/** Memory that a step may take. */
export interface Room {
  readonly bytes: number;
  /** Whether its user set it; else it is what the machine has to give. */
  readonly asked: boolean;
}

/** A step's room, and whoever watches it: what it needs is told before it is taken, since nothing can be said afterwards. */
export interface Watched extends Room {
  foresee(need: Need): void;
}
