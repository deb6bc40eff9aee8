import type { HostTensor, Moved } from '../engine.ts';

const bytesIn = (tensors: Readonly<Record<string, HostTensor>>): number =>
  Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);

/** Counts what crosses the border between host and device. */
export class Traffic {
  #up = 0;
  #down = 0;

  up(tensors: Readonly<Record<string, HostTensor>>): void {
    this.#up += bytesIn(tensors);
  }

  down(tensors: Readonly<Record<string, HostTensor>>): void {
    this.#down += bytesIn(tensors);
  }

  get moved(): Moved {
    return { up: this.#up, down: this.#down };
  }
}
