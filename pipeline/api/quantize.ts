import type { Graph, Value } from '../../graph/graph.ts';
import { leftAlone } from '../../graph/quantize/choose.ts';
import { storedAs } from '../../graph/quantize/convert.ts';
import type { Format } from '../../graph/quantize/format.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { blockSizes } from '../../graph/quantize/grid.ts';
import type { Quantized } from '../../graph/quantize/index.ts';
import { whyKept } from '../../graph/quantize/report.ts';
import { modelError, reworded } from '../../ground/errors.ts';
import { expectFloats } from '../../models/foreign.ts';
import { requestError } from '../diagnostic.ts';
import type { Reading } from './named.ts';
import { rewriteModel } from './rewritten.ts';
import type { QuantizedGraph, QuantizedWeight, QuantizeOptions } from './types/graphs.ts';

/** The format that was asked for, and nothing besides that it has no use for. */
const expectedFormat = ({ format: name = 'int8', block, zeroPoint }: QuantizeOptions): Format => {
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

/** Matrices and what became of them; of floats, what is left of their width. */
const matricesIn = ({ report, choices }: Quantized, format: Format): readonly QuantizedWeight[] => {
  const alone: ReadonlySet<string> = new Set<Value>(leftAlone(choices));
  return report.weights
    .filter(({ dims }) => dims.length === 2)
    .map(({ name, dims, storage, reason }) => {
      const isHalf = storage === 'float32' && format.floats === 'float16' && !alone.has(name);
      if (isHalf) return { name, dims, storage: 'float16' };
      return { name, dims, storage, ...(reason === undefined ? {} : { reason }) };
    });
};

/** Reads a model, stores its matrices as a format says and writes it. */
export const quantizeGraph = async (
  name: string,
  out: string,
  asked: QuantizeOptions,
  emit: Reading['emit'],
): Promise<QuantizedGraph> => {
  const format = expectedFormat(asked);
  return await rewriteModel(name, out, asked, emit, (foreign) => {
    expectFloats(foreign, 'the model', 'quantized');
    const made = quantized(foreign.graph, format, asked);
    const weights = matricesIn(made, format);
    const count = weights.filter(({ storage }) => storage !== 'float32').length;
    if (count === 0) {
      const reasons = weights.length === 0 ? 'it has none' : whyKept(weights);
      const bits = format.products.kind === 'integers' ? '8 bits' : format.name;
      throw modelError(`no matrix can be stored in ${bits} (${reasons}): skip less, or lower --min-elements`);
    }
    return {
      graph: made.graph,
      told: { format: format.name, weights, quantized: count, kept: weights.length - count },
      change: { kind: 'reworded' },
    };
  });
};
