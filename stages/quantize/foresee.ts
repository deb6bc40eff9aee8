import { leastQuantized } from '../../graph/quantize/thresholds.ts';
import { modelTask } from '../../ground/tasks.ts';
import { foreseeRecovery } from '../distill/recover-plan.ts';
import type { Expected, Foreseen, Outlook } from '../expected.ts';
import { type Config, formatOf } from './config.ts';

type Options = Pick<Config, 'embeddings' | 'exclude' | 'format' | 'recover'>;

const EVERYTHING = /^\*+$/;

/** No matrix of an encoder has more elements; undefined where one of the figures that it takes is not known. */
const mostElements = (model: Expected, { embeddings }: Options): number | undefined => {
  const { sizes = {}, maxLength, labels, task } = model;
  const { hidden, embedding = hidden, ffn, vocabulary } = sizes;
  if (hidden === undefined || embedding === undefined || ffn === undefined || vocabulary === undefined)
    return undefined;
  if (maxLength === undefined || task === undefined || modelTask(task).about === 'token') return undefined;
  const width = Math.max(hidden, embedding);
  // Q, K and V may be one matrix, and so may be gate and value; relative positions count both ways.
  const products = [3 * width * width, 2 * width * ffn, width * (labels?.length ?? 0)];
  const tables = embeddings ? [vocabulary * embedding, 2 * maxLength * width] : [];
  return Math.max(...products, ...tables);
};

/** A model of which nothing can be quantized is known by its sizes. */
const foreseeStored = (options: Options, { models }: Outlook): Foreseen => {
  const { model = {} } = models;
  const format = formatOf(options.format);
  const quantized: Expected = { ...model, stored: format.dtype };
  if (format.products.kind === 'floats') return { model: quantized };
  if (options.exclude.some((pattern) => EVERYTHING.test(pattern))) {
    const message = 'every weight is excluded, so nothing would be quantized: leave the stage out, or exclude less';
    return { model: quantized, problems: [{ path: ['exclude'], message }] };
  }
  const most = mostElements(model, options);
  if (most === undefined || most >= leastQuantized) return { model: quantized };
  const bits = format.products.kind === 'blocks' ? format.products.bits : 8;
  const message =
    `no matrix of this model can be stored in ${bits} bits (the largest has fewer than ${leastQuantized} elements): leave ` +
    'quantization out, or take a larger model';
  return { model: quantized, problems: [{ path: [], message }] };
};

/** The same after training, where weights recover. */
export const foreseeQuantization = (options: Options, outlook: Outlook): Foreseen => {
  const { recover } = options;
  if (recover === undefined) return foreseeStored(options, outlook);
  const trained = foreseeRecovery(recover, outlook);
  const stored = foreseeStored(options, { ...outlook, models: { ...outlook.models, model: trained.model } });
  return { ...stored, problems: [...(trained.problems ?? []), ...(stored.problems ?? [])] };
};
