import type { Graph } from '../../graph/graph.ts';
import { storedAs } from '../../graph/quantize/convert.ts';
import { type Format, fixesRanges } from '../../graph/quantize/format.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { blockSizes } from '../../graph/quantize/grid.ts';
import type { Quantized } from '../../graph/quantize/index.ts';
import { storedMatrices, whyKept } from '../../graph/quantize/report.ts';
import { modelError, reworded } from '../../ground/errors.ts';
import { expectFloats } from '../../models/foreign.ts';
import { requestError } from '../diagnostic.ts';
import { expectFile } from '../first/recognise.ts';
import type { Foreign } from './foreign.ts';

import type { Reading } from './named.ts';
import { rewriteModel } from './rewritten.ts';
import { expectTexts } from './text-options.ts';
import type { QuantizedGraph, QuantizeOptions } from './types/graphs.ts';

/** The format that was asked for, and nothing besides that it has no use for. */
const expectedFormat = ({ format: name = formats[0].name, block, zeroPoint }: QuantizeOptions): Format => {
  const format = formats.find((one) => one.name === name);
  if (format === undefined) {
    throw requestError(`--format: found '${name}'; expected ${formats.map((one) => one.name).join(', ')}`);
  }
  if (format.products.kind !== 'blocks' && (block !== undefined || zeroPoint !== undefined)) {
    const option = block === undefined ? '--symmetric' : '--block';
    throw requestError(
      `${option}: the format ${name} stores no blocks; leave it out, or take a format of blocks, as q4`,
    );
  }
  if (block !== undefined && !blockSizes.some((size) => size === block)) {
    throw requestError(`--block: found ${block}; expected ${blockSizes.join(', ')}`);
  }
  return format;
};

const quantized = (graph: Graph, format: Format, asked: QuantizeOptions): Quantized => {
  const { skip = [], minElements, block, zeroPoint } = asked;
  try {
    return storedAs(graph, {
      ...{ exclude: skip, format },
      ...(block === undefined ? {} : { block }),
      ...(zeroPoint === undefined ? {} : { zeroPoint }),
      ...(minElements === undefined ? {} : { minimumElements: minElements, minimumTable: minElements }),
    });
  } catch (error) {
    throw reworded(error, (why) => requestError(why.replace(/^exclude: /, '--skip: ')));
  }
};

/** By its weights alone. */
const roundedAlone = (foreign: Foreign, format: Format, asked: QuantizeOptions) => {
  expectTexts(asked);
  const made = quantized(foreign.graph, format, asked);
  return { graph: made.graph, weights: storedMatrices(made, format) };
};

const isCalibrated = (asked: QuantizeOptions): asked is QuantizeOptions & { readonly data: string } =>
  asked.data !== undefined;

/** By what it does on texts. */
const roundedByTexts = async (
  foreign: Foreign,
  asked: QuantizeOptions & { readonly data: string },
  emit: Reading['emit'],
) => {
  const { calibrated } = await import('./calibrated.ts');
  return await calibrated(foreign, asked, emit);
};

/** Reads a model, stores its matrices as a format says and writes it. */
export const quantizeGraph = async (
  name: string,
  out: string,
  asked: QuantizeOptions,
  emit: Reading['emit'],
): Promise<QuantizedGraph> => {
  const format = expectedFormat(asked);
  if (!isCalibrated(asked) && fixesRanges(format)) {
    throw requestError(
      `--format: ${format.name} takes the ranges of activations from texts; give a file of them with --data`,
    );
  }
  if (!isCalibrated(asked)) expectTexts(asked);
  else await expectFile(asked.data);
  return await rewriteModel(name, out, asked, emit, async (foreign) => {
    expectFloats(foreign, 'the model', 'quantized');
    const made = isCalibrated(asked)
      ? await roundedByTexts(foreign, asked, emit)
      : { calibrated: undefined, ...roundedAlone(foreign, format, asked) };
    const weights = made.weights.map(({ name: own, dims, storage, reason }) => ({
      ...{ name: own, dims, storage },
      ...(reason === undefined ? {} : { reason }),
    }));
    const count = weights.filter(({ storage }) => storage !== 'float32').length;
    if (count === 0) {
      const reasons = weights.length === 0 ? 'it has none' : whyKept(weights);
      const bits = format.products.kind === 'integers' ? '8 bits' : format.name;
      throw modelError(`no matrix can be stored in ${bits} (${reasons}): skip less, or lower --min-elements`);
    }
    const told = { format: format.name, weights, quantized: count, kept: weights.length - count };
    return {
      graph: made.graph,
      told: made.calibrated === undefined ? told : { ...told, calibrated: made.calibrated },
      change: { kind: 'reworded' },
    };
  });
};
