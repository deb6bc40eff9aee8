import { basename, resolve } from 'node:path';
import { idTargets, unknownTargets } from '../../data/answer-targets.ts';
import { labelOf } from '../../data/dataset.ts';
import { load } from '../../data/datasets/index.ts';
import { stream } from '../../data/random.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { defaultAdamW } from '../../engine/adamw.ts';
import { encodedText } from '../../engine/encoded.ts';
import type { Engine } from '../../engine/engine.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import type { Precision } from '../../engine/precision.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingExamples, TrainingOptions } from '../../engine/training-options.ts';
import { buildEncoder } from '../../models/encoder.ts';
import { withClassificationHead } from '../../models/head.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';

/** A model as Hugging Face lays it out, which both sides read from its folder. */
interface Pretrained {
  readonly folder: string;
  /** With a classifier, which starts at zero. */
  readonly model: Model;
}

/** A shape of encoder and batch, as both sides build it. `length` is the longest text. */
export interface Subject {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly ffn: number;
  readonly vocabulary: number;
  readonly batch: number;
  readonly length: number;
  /** Where the weights, and the architecture, come from; left out, decant's own encoder from random weights. */
  readonly pretrained?: Pretrained;
}

export const subjects: readonly Subject[] = [
  { hidden: 256, layers: 4, heads: 4, ffn: 1024, vocabulary: 8000, batch: 16, length: 128 },
  { hidden: 256, layers: 4, heads: 4, ffn: 1024, vocabulary: 8000, batch: 64, length: 24 },
  { hidden: 384, layers: 6, heads: 12, ffn: 1536, vocabulary: 30522, batch: 16, length: 128 },
  { hidden: 192, layers: 3, heads: 4, ffn: 768, vocabulary: 8000, batch: 64, length: 24 },
];

/** The width of the flagship's teacher at a large batch, and BERT-base: what a card is for. */
export const cardSubjects: readonly Subject[] = [
  { hidden: 512, layers: 2, heads: 4, ffn: 1536, vocabulary: 8002, batch: 128, length: 24 },
  { hidden: 768, layers: 12, heads: 12, ffn: 3072, vocabulary: 30522, batch: 32, length: 128 },
];

/** What the texts of uneven length train. */
export const textSubject: Subject = {
  hidden: 192,
  layers: 3,
  heads: 4,
  ffn: 768,
  vocabulary: 8000,
  batch: 64,
  length: 48,
};

const labels = Array.from({ length: 26 }, (_, i) => `class ${i}`);

/** The checkpoint in `folder` under batches of long texts, of short ones, and of WordNet's definitions. */
export const pretrainedSubjects = async (folder: string): Promise<{ even: readonly Subject[]; text: Subject }> => {
  const model = withClassificationHead(await importModel(resolve(folder), process.cwd(), { head: 'new' }), labels);
  const { hidden = 0, layers = 0, heads = 0, ffn = 0, vocabulary = 0 } = model.info.dimensions;
  const shape = { hidden, layers, heads, ffn, vocabulary, pretrained: { folder: resolve(folder), model } };
  return {
    even: [
      { ...shape, batch: 16, length: 128 },
      { ...shape, batch: 64, length: 24 },
    ],
    text: { ...shape, batch: 64, length: 48 },
  };
};

/** Random ids, every text as long as the subject says: enough of them that no batch comes twice in a round. */
export const evenTexts = ({ batch, length, vocabulary }: Subject): TrainingExamples => {
  const random = stream(1, 'bench');
  const texts = batch * 16;
  return {
    encoded: Array.from({ length: texts }, () =>
      encodedText({ ids: Int32Array.from({ length }, () => random.integer(vocabulary)) }),
    ),
    targets: idTargets(Array.from({ length: texts }, () => random.integer(labels.length))),
  };
};

/** Definitions of WordNet as the checkpoint's tokenizer cuts them, or a WordPiece tokenizer of the subject's vocabulary. */
export const wordnetTexts = async ({ vocabulary, length, pretrained }: Subject): Promise<TrainingExamples> => {
  const config = { uses: 'wordnet-supersense', limit: 10_000, maxLength: length } as const;
  const { dataset } = await load(config, process.cwd());
  const texts = dataset.train.map(({ text }) => text);
  const tokenizer = tokenizerOf(pretrained?.model.tokenizer ?? trainWordPiece(texts, { size: vocabulary }));
  return {
    encoded: (await tokenizer.encodeBatch(dataset.train, length)).map(encodedText),
    targets: idTargets(dataset.train.map(labelOf)),
  };
};

export const LEARNING_RATE = 1e-4;
export const WEIGHT_DECAY = 0.01;
export const LABEL_SMOOTHING = 0.1;

const options = (batch: number, dropout: number): TrainingOptions => ({
  ...defaultAdamW,
  epochs: 1,
  steps: 1_000_000,
  batch,
  accumulate: 1,
  learningRate: LEARNING_RATE,
  headLearningRate: LEARNING_RATE,
  schedule: { kind: 'constant', warmup: 0 },
  weightDecay: WEIGHT_DECAY,
  dropout,
  tokenDropout: 0,
  clip: 1,
  keep: 'last',
  validationLimit: 0,
});

/** Everything that both sides share. */
export interface Setting {
  readonly subject: Subject;
  readonly texts: TrainingExamples;
  readonly dropout: number;
  readonly threads: number;
  /** Where decant trains; the CPU where it is not said. */
  readonly engine?: Engine | undefined;
  /** What its steps compute in; PyTorch's in float32. */
  readonly precision?: Precision | undefined;
  /** Where and how PyTorch does. */
  readonly rival?: { readonly device: string; readonly compile: boolean };
}

const ownEncoder = ({ pretrained: _, ...shape }: Subject): Model =>
  buildEncoder(
    {
      ...shape,
      maxLength: shape.length,
      norm: 'pre',
      activation: 'gelu',
      pooling: 'mean',
      labels,
      dropout: 0,
      tokens: { padding: 1, unknown: 0 },
    },
    {},
    1,
  );

/** A training run of the checkpoint or of decant's own encoder. */
export const requestFor = (
  { subject, texts, dropout, threads, engine, precision }: Setting,
  profilePrefix?: string,
): TrainRequest => ({
  engine,
  model: subject.pretrained?.model ?? ownEncoder(subject),
  task: textClassification,
  examples: texts,
  validation: { encoded: [], targets: unknownTargets(0) },
  options: { ...options(subject.batch, dropout), precision },
  phases: [{ losses: [crossEntropy({ hard: 1, temperature: 1, labelSmoothing: LABEL_SMOOTHING })], until: 1 }],
  seed: 1,
  threads,
  signal: new AbortController().signal,
  checkpoints: { folder: '', load: async () => undefined, save: async () => {} },
  profilePrefix,
  progress: () => {},
});

export const describe = ({ hidden, layers, ffn, vocabulary, batch, length, pretrained }: Subject): string =>
  `${pretrained === undefined ? '' : `${basename(pretrained.folder)}, `}${hidden} x ${layers}, ffn ${ffn}, vocabulary ${vocabulary}, batch ${batch} x ${length}`;

/**
 * Floating-point operations of one training step: 6 a parameter of the body and token (forward 2, backward 4; tables are
 * looked up), and as much for the two products of attention.
 */
export const flops = ({ hidden, layers, ffn, batch, length }: Subject): number => {
  const body = layers * (4 * hidden * hidden + 2 * hidden * ffn) + hidden * labels.length;
  const attention = layers * 2 * length * hidden;
  return 6 * (body + attention) * batch * length;
};
