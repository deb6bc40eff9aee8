import type { Encoded } from '../../engine/encoded.ts';
import type { Watching } from '../../engine/observe/index.ts';
import type { Value } from '../../graph/graph.ts';
import { chooseWeights, type QuantizeOptions } from '../../graph/quantize/choose.ts';
import type { Range, Ranges } from '../../graph/quantize/range.ts';
import { sitesOfWeight } from '../../graph/sites.ts';
import type { Calibrator } from './calibrators/calibrator.ts';
import { distributionsOf } from './distributions.ts';

/** What the 256 steps of an activation span, and the share of its numbers that lie beyond. */
interface Calibrated extends Range {
  readonly input: Value;
  readonly clipped: number;
}

/** Ranges of what products read. */
export interface Calibration {
  readonly ranges: Ranges;
  /** Weights of the products that read them. */
  readonly products: readonly Value[];
  readonly inputs: readonly Calibrated[];
}

interface Request extends Watching {
  readonly options: QuantizeOptions;
  readonly calibrator: Calibrator;
  readonly examples: readonly Encoded[];
  onText(done: number, total: number): void;
}

/** Ranges of all that is multiplied by matrices of 8 bits, on texts. */
export const calibrated = async ({
  options,
  calibrator,
  examples,
  onText,
  ...watching
}: Request): Promise<Calibration> => {
  const { graph } = watching;
  const products = [...chooseWeights(graph, options)].flatMap(([name, choice]) =>
    'form' in choice && choice.form === 'linear' ? [name] : [],
  );
  const read = products.flatMap((name) => sitesOfWeight(graph, name).map(({ node }) => node.inputs[0]));
  const inputs = [...new Set(read)].filter((input) => input != null);
  const distributions = await distributionsOf(watching, inputs, examples, onText);
  const found = [...distributions].map(([input, seen]): Calibrated => {
    const range = calibrator.range(seen);
    return { input, ...range, clipped: seen.histogram.beyond(range) };
  });
  return { ranges: new Map(found.map(({ input, low, high }) => [input, { low, high }])), products, inputs: found };
};
