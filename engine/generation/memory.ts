import type { FreshState } from '../../models/fresh.ts';
import type { Feeds, HostTensor } from '../engine.ts';

/** Positions that there is room for beyond those in use: an array that was full is copied into a longer one. */
const ROOM = 64;

/** One state of one text: (heads, room, width). */
interface Kept {
  readonly state: FreshState;
  readonly heads: number;
  readonly width: number;
  data: Float32Array;
}

const sizesOf = ({ past, axes }: FreshState): readonly [number, number] => {
  const [, heads, , width] = axes;
  if (typeof heads === 'number' && typeof width === 'number') return [heads, width];
  throw new Error(`the sizes of '${past}' are not known`);
};

/**
 * Keys and values of all that a decoder has read of one text. They stay where they lie from token to token, as arrays with
 * room at the end, and each pass adds a row a token.
 */
export class Memory {
  readonly #kept: readonly Kept[];
  #room = 0;
  #length = 0;

  constructor(states: readonly FreshState[]) {
    this.#kept = states.map((state) => {
      const [heads, width] = sizesOf(state);
      return { state, heads, width, data: new Float32Array() };
    });
  }

  /** The inputs that the next pass goes on from. */
  feeds(): Feeds {
    return Object.fromEntries(
      this.#kept.map(({ state, heads, width, data }): [string, HostTensor] => [
        state.past,
        { dtype: 'float32', dims: [1, heads, this.#room, width], data },
      ]),
    );
  }

  /** Adds what a pass over so many tokens put out. */
  add(outputs: Feeds, tokens: number): void {
    if (this.#length + tokens > this.#room) this.#grow(this.#length + tokens + ROOM);
    for (const kept of this.#kept) {
      const rows = outputs[kept.state.rows]?.data;
      if (!(rows instanceof Float32Array)) throw new Error(`the decoder gave no '${kept.state.rows}'`);
      this.#write(kept, rows, tokens);
    }
    this.#length += tokens;
  }

  /** Rows (tokens, heads, width), to where each head keeps its own. */
  #write({ heads, width, data }: Kept, rows: Float32Array, tokens: number): void {
    for (let token = 0; token < tokens; token++) {
      for (let head = 0; head < heads; head++) {
        const from = (token * heads + head) * width;
        data.set(rows.subarray(from, from + width), (head * this.#room + this.#length + token) * width);
      }
    }
  }

  #grow(room: number): void {
    for (const kept of this.#kept) {
      const { heads, width, data } = kept;
      const grown = new Float32Array(heads * room * width);
      for (let head = 0; head < heads; head++) {
        const from = head * this.#room * width;
        grown.set(data.subarray(from, from + this.#length * width), head * room * width);
      }
      kept.data = grown;
    }
    this.#room = room;
  }
}
