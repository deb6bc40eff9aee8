import { type Stream, stream } from '../../data/random.ts';
import { type Encoded, encodedImage, encodedText, tokensOf } from '../../engine/encoded.ts';
import type { Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { feedsFor, fitted } from '../../engine/feeds.ts';
import { modelError } from '../../ground/errors.ts';
import { tokenRows } from '../../models/anatomy/tokens.ts';
import { type Model, type ModelInfo, type PixelRule, pixelsIn } from '../../models/model.ts';
import { answerName, inputOf, readsTexts } from '../../models/signature.ts';

/** How far a quantized model is from its source on token ids, or images, drawn at random. */
export interface Deviation {
  readonly texts: number;
  /** Cosine between the outputs of the two models, over all texts. */
  readonly meanCosine: number;
  readonly minCosine: number;
  /** Largest difference of one output, and the root of the mean square of the source's outputs to compare it with. */
  readonly maxError: number;
  readonly outputRms: number;
}

/** Enough to tell a broken model from a rounded one; quality is measured on real texts after every stage. */
const texts = 32;
const longest = 24;
/** The drawn ids never depend on the pipeline's seed, so the stage draws nothing that belongs to its key. */
const seed = 1;

const textOf = (random: Stream, vocabulary: number, maxLength: number): Encoded => {
  const length = 1 + random.integer(Math.min(longest, maxLength));
  return encodedText({ ids: Int32Array.from({ length }, () => random.integer(vocabulary)) });
};

/** Blocks of one brightness, as images have them: noise alone would look like none. */
const imageOf = (random: Stream, { height, width, channels }: PixelRule): Encoded => {
  const edge = Math.max(1, Math.ceil(Math.min(height, width) / 4));
  const across = Math.ceil(width / edge);
  const blocks = Uint8Array.from({ length: across * Math.ceil(height / edge) * channels }, () => random.integer(256));
  const blockAt = (y: number, x: number): number => Math.floor(y / edge) * across + Math.floor(x / edge);
  const data = Uint8Array.from({ length: height * width * channels }, (_, at) => {
    const [pixel, channel] = [Math.floor(at / channels), at % channels];
    return blocks[blockAt(Math.floor(pixel / width), pixel % width) * channels + channel] ?? 0;
  });
  return encodedImage({ height, width, channels, data });
};

const drawnFor = (source: Model): ((index: number) => Encoded) => {
  const { signature, processor, maxLength } = source.info;
  const vocabulary = readsTexts(signature) ? Math.max(2, tokenRows(source)) : 0;
  return (index) => {
    const random = stream(seed, 'quantize-check', index);
    if (!readsTexts(signature)) return imageOf(random, pixelsIn(processor));
    const text = textOf(random, vocabulary, maxLength);
    if (inputOf(signature, 'written') === undefined) return text;
    return { ...text, byRole: { ...text.byRole, written: tokensOf(textOf(random, vocabulary, maxLength)) } };
  };
};

const outputOf = async (program: Program, info: ModelInfo, text: Encoded): Promise<Float32Array> => {
  const batch = fitted(info, { rows: Int32Array.of(0), length: text.length });
  const outputs = await program.run(feedsFor(info, [text], batch));
  const output = answerName(info.signature);
  const data = outputs[output]?.data;
  if (!(data instanceof Float32Array)) throw modelError(`the model gave no float32 output '${output}'`);
  return data;
};

interface Watched {
  readonly threads: number;
  readonly signal: AbortSignal;
  onText(done: number): void;
}

interface Distance {
  readonly cosine: number;
  readonly maxError: number;
  readonly squares: number;
}

const distance = (source: Float32Array, result: Float32Array): Distance => {
  let dot = 0;
  let squares = 0;
  let others = 0;
  let maxError = 0;
  source.forEach((x, i) => {
    const y = result[i] ?? Number.NaN;
    dot += x * y;
    squares += x * x;
    others += y * y;
    maxError = Math.max(maxError, Math.abs(x - y));
  });
  const norms = Math.sqrt(squares * others);
  // Two vectors of zeros are equal.
  return { cosine: norms === 0 && squares === others ? 1 : dot / norms, maxError, squares: squares / source.length };
};

/** What a model says about every text. Its program is released before that of another is made: memory holds one at a time. */
const outputsOf = async (
  { graph, info }: Model,
  encoded: readonly Encoded[],
  { threads, signal, onText }: Watched,
): Promise<readonly Float32Array[]> => {
  const program = await cpuEngine.compile(graph, { threads, memory: 'pooled' });
  try {
    const outputs: Float32Array[] = [];
    for (const text of encoded) {
      signal.throwIfAborted();
      outputs.push(await outputOf(program, info, text));
      onText(outputs.length);
    }
    return outputs;
  } finally {
    await program.release();
  }
};

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

const deviationOf = (before: readonly Float32Array[], after: readonly Float32Array[]): Deviation => {
  const distances = before.map((output, i) => distance(output, after[i] ?? new Float32Array()));
  const cosines = distances.map(({ cosine }) => cosine);
  return {
    texts,
    meanCosine: mean(cosines),
    minCosine: Math.min(...cosines),
    maxError: Math.max(...distances.map(({ maxError }) => maxError)),
    outputRms: Math.sqrt(mean(distances.map(({ squares }) => squares))),
  };
};

/** How far a result is from its source on texts that the source has read. */
type Judge = (result: Model) => Promise<Deviation>;

/**
 * Runs the source now and what is made of it when that is there, one text at a time without padding, as quantized models
 * are judged: memory holds neither model while the other runs.
 */
export const judgeOf = async (
  source: Model,
  options: { readonly threads: number; readonly signal: AbortSignal; onText(done: number, total: number): void },
): Promise<Judge> => {
  const drawn = drawnFor(source);
  const encoded = Array.from({ length: texts }, (_, i) => drawn(i));
  const watched = (done: number): Watched => ({
    ...options,
    onText: (own) => options.onText(done + own, 2 * texts),
  });
  const before = await outputsOf(source, encoded, watched(0));
  return async (result) => deviationOf(before, await outputsOf(result, encoded, watched(texts)));
};
