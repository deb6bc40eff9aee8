import type { Encoded } from '../../engine/encoded.ts';
import { Histogram } from '../../engine/observe/histogram.ts';
import { gathered, type Watching } from '../../engine/observe/index.ts';
import type { Value } from '../../graph/graph.ts';
import { type Range, rangeOf } from '../../graph/quantize/range.ts';
import type { Distribution } from './calibrators/calibrator.ts';

/** How far a new text moves the average. */
const MOMENTUM = 0.01;

const towards = (from: number, to: number): number => from + MOMENTUM * (to - from);

/** How a value is spread, text by text: what is kept does not grow with texts. */
export class Distributing {
  readonly #histogram = new Histogram();
  #moving: Range | undefined;

  /** Numbers of a text: counted by size, or their ends alone. */
  add(text: Float32Array, counts: boolean): void {
    const own = rangeOf(text);
    if (counts) this.#histogram.add(text);
    else this.#histogram.reach(own);
    const { low, high } = this.#moving ?? own;
    this.#moving = { low: towards(low, own.low), high: towards(high, own.high) };
  }

  get distribution(): Distribution {
    return { histogram: this.#histogram, moving: this.#moving ?? { low: 0, high: 0 } };
  }
}

/** How values are spread over texts. */
export const distributionsOf = async (
  watching: Watching,
  values: readonly Value[],
  examples: readonly Encoded[],
  onText: (done: number, total: number) => void,
): Promise<ReadonlyMap<Value, Distribution>> => {
  const found = await gathered(watching, values, examples, {
    begin: () => new Distributing(),
    add: (known, { data }) => known.add(data, true),
    onText,
  });
  return new Map([...found].map(([value, { distribution }]) => [value, distribution]));
};
