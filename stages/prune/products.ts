import { spreadOver } from '../../data/spread.ts';
import type { Encoded } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { ownBias } from '../../engine/layerwise/corrections.ts';
import { gathered, type Watching } from '../../engine/observe/index.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { formAt } from '../../graph/quantize/forms.ts';
import { type Site, sitesOfWeight } from '../../graph/sites.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { noMore } from '../train/examples.ts';
import { planeOf } from './plane-of.ts';
import { type PruneContext, textsOf } from './subject.ts';

/** A matrix that activations are multiplied by. */
export interface Product {
  readonly weight: Value;
  /** What it is multiplied with: one value, or one at each place that shares it. */
  readonly inputs: readonly [Value, ...Value[]];
  /** Numbers of a row of them. */
  readonly width: number;
  /** The vector that is added behind it and by nothing else. */
  readonly bias: Value | undefined;
}

const inputAt = (graph: Graph, site: Site): readonly Value[] => {
  const [input] = site.node.inputs;
  return formAt(site) !== 'linear' || input == null || graph.weights.has(input) ? [] : [input];
};

/** The product that a weight is; nothing where it is none, or is used for something else, too. */
export const productOf = (graph: Graph, weight: Value): Product | undefined => {
  const sites = sitesOfWeight(graph, weight);
  if (graph.weights.get(weight)?.dims.length !== 2) return undefined;
  const [first, ...others] = [...new Set(sites.flatMap((site) => inputAt(graph, site)))];
  if (first === undefined || sites.some((site) => site.use.kind !== 'linear')) return undefined;
  return { weight, inputs: [first, ...others], width: planeOf(graph, weight).width, bias: ownBias(graph, weight) };
};

/** Texts as the model reads them, with labels or without: they are spread over all there are. */
export const calibrationTexts = async (
  model: Model,
  count: number,
  context: PruneContext,
): Promise<readonly Encoded[]> => {
  const texts = textsOf(context);
  const examples = await texts.pick(spreadOver(texts.labelled, count));
  if (examples.length === 0) throw stageError('calibration: there are no training texts to look at inputs by');
  const length = Math.min(texts.maxLength, model.info.maxLength);
  return noMore(await taskOf(texts.task).encode(model, examples, length, context.signal), count);
};

export const watchingOf = ({ graph, info }: Model, { threads, signal }: PruneContext): Watching => ({
  ...{ graph, info, engine: cpuEngine },
  ...{ threads, signal },
});

/** Sums of squares of each number of what products read, by the value. */
export const squaresOf = (
  watching: Watching,
  products: readonly Product[],
  examples: readonly Encoded[],
  onText: (done: number, total: number) => void,
): Promise<ReadonlyMap<Value, Float64Array>> =>
  gathered(watching, [...new Set(products.flatMap(({ inputs }) => inputs))], examples, {
    begin: ({ width }) => new Float64Array(width),
    add: (own, { data, width }) => {
      for (let i = 0; i < data.length; i++) {
        const at = i % width;
        own[at] = (own[at] as number) + (data[i] as number) ** 2;
      }
    },
    onText,
  });
