import { withCorrections } from '../../engine/layerwise/corrections.ts';
import type { Graph } from '../../graph/graph.ts';
import { eightBitLimit } from '../../graph/quantize/choose.ts';
import { fixesRanges } from '../../graph/quantize/format.ts';
import { type Quantized, quantizeWeights } from '../../graph/quantize/index.ts';
import { type Scales, smoothed } from '../../graph/quantize/smooth.ts';
import { counting } from '../../ground/progress.ts';
import { activationsOf } from './activations.ts';
import { calibratorOf } from './calibrators/index.ts';
import { formatOf } from './config.ts';
import { meanErrors } from './mean-errors.ts';
import { type Calibration, calibrated } from './ranges.ts';
import { byRange, byText } from './rounded-inputs.ts';
import { type Smoothing, searchScales } from './smoothing.ts';
import { reading, type Subject, watchingOf } from './subject.ts';

export interface Evened {
  readonly graph: Graph;
  readonly smoothings: readonly Smoothing[];
  /** What activations were divided by. */
  readonly scales?: Scales;
}

interface Rounded {
  readonly quantized: Quantized;
  readonly calibration?: Calibration;
}

/** Activations evened out where that pays. */
export const evened = async (graph: Graph, subject: Subject): Promise<Evened> => {
  const { examples, options, config, context } = subject;
  if (examples === undefined || config.smooth === false) return { graph, smoothings: [] };
  const watching = watchingOf(graph, subject);
  const onGroup = counting(context.onProgress, 'products', 'evening out activations');
  const round = fixesRanges(formatOf(config.format)) ? byRange(calibratorOf(config.calibrator)) : byText;
  const { scales, smoothings } = await searchScales({
    ...watching,
    activationsOf: (inputs) => activationsOf(watching, inputs, examples, reading(context)),
    ...{ round, limit: eightBitLimit(options), onGroup },
  });
  return { graph: smoothed(graph, scales), smoothings, scales };
};

/** Products of 8 bits, by ranges that texts gave where the format fixes them. */
export const inIntegers = async (graph: Graph, subject: Subject): Promise<Rounded> => {
  const { options, examples, config, context } = subject;
  if (!fixesRanges(formatOf(config.format))) return { quantized: quantizeWeights(graph, options) };
  const watching = { ...watchingOf(graph, subject), examples: examples ?? [] };
  const onText = counting(context.onProgress, 'texts', 'finding ranges');
  const calibration = await calibrated({ ...watching, options, calibrator: calibratorOf(config.calibrator), onText });
  const { ranges, products } = calibration;
  const limit = eightBitLimit(options);
  const corrections = await meanErrors({ ...watching, ranges, products, limit, onText: reading(context) });
  const balanced = withCorrections(graph, { corrections }, products);
  return { quantized: quantizeWeights(balanced, { ...options, ranges }), calibration };
};
