import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { openWriter, type Writer } from '../../engine/generation/generate.ts';
import { storedAs } from '../../graph/quantize/convert.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { withCache } from '../../models/cache.ts';
import { buildDecoder } from '../../models/decoder.ts';
import type { Model } from '../../models/model.ts';

/** Tokens that a decoder of the benchmark knows, and its longest text. */
export const VOCABULARY = 6400;
const LONGEST = 4096;

/** What shared/sequences.md measured: minimind's shape, with random weights. */
const shape = { hidden: 512, layers: 8, heads: 8, kvHeads: 2, ffn: 1408, ropeTheta: 10_000, tied: true } as const;

const decoder = (): Model => {
  const given = {
    ...shape,
    vocabulary: VOCABULARY,
    dropout: 0,
    maxLength: LONGEST,
    tokens: { padding: 0, unknown: 0 },
  };
  return buildDecoder({ ...given, end: { id: 0, text: 'end' } }, {}, 1);
};

/** The graph as it was exported before attention was one operator: states that go round. */
const inPieces = async (model: Model): Promise<Writer> => {
  const plain = withCache({ ...model, graph: fuseForInference(model.graph) });
  const program = await cpuEngine.compile(plain.graph, { threads: 1, memory: 'pooled' });
  return { model: plain, program, fresh: undefined };
};

const storedIn = (model: Model, name: string): Model => {
  const format = formats.find((one) => one.name === name);
  if (format === undefined) throw new Error(`no format '${name}': expected plain, float or a format of quantize`);
  return { ...model, graph: storedAs(model.graph, { format, activations: 'int8' }).graph };
};

/** `plain`, `float` as decant writes, or a format of quantize; one thread. */
export const writerOf = async (subject: string): Promise<Writer> => {
  const model = decoder();
  if (subject === 'plain') return await inPieces(model);
  return await openWriter(subject === 'float' ? model : storedIn(model, subject), cpuEngine, 1);
};

/** Bytes of the keys and values of so many tokens. */
export const cacheBytes = (tokens: number): number =>
  2 * shape.layers * shape.kvHeads * (shape.hidden / shape.heads) * Float32Array.BYTES_PER_ELEMENT * tokens;
