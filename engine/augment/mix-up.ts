import { z } from 'zod';
import { permutation, type Stream, stream } from '../../data/random.ts';
import { modelError, stageError } from '../../ground/errors.ts';
import { dataFed } from '../feeds.ts';
import type { Loss, LossInput } from '../losses/loss.ts';
import type { StepBatch } from '../step-batch.ts';
import { type Beside, defineAugmentation, type FedBatch, type Within, wantsItsTokens } from './augmentation.ts';

/** Gamma(alpha, 1): Marsaglia and Tsang 2000; below 1 that of alpha + 1 times a power of a uniform number. */
const gamma = (alpha: number, random: Stream): number => {
  if (alpha < 1) return gamma(alpha + 1, random) * (1 - random.uniform()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  for (;;) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
};

/** Beta(alpha, alpha). */
export const beta = (alpha: number, random: Stream): number => {
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
  return a + b === 0 ? 0.5 : a / (a + b);
};

/** Which text of the pass each is mixed with, and how much of itself it keeps. */
interface Mix {
  readonly partners: Int32Array;
  readonly kept: Float32Array;
}

type Drawn = (batch: Pick<StepBatch, 'batch' | 'done'>) => Mix;

/** Drawn for each pass: the same wherever it is asked for. */
const drawing =
  (alpha: number, seed: number): Drawn =>
  ({ batch: { rows }, done }) => {
    const random = stream(seed, 'mix-up', done, rows[0] ?? 0);
    return { partners: permutation(rows.length, random), kept: Float32Array.from(rows, () => beta(alpha, random)) };
  };

type Texts = Pick<StepBatch, 'batch' | 'examples'>;

const lengthsIn = ({ batch, examples }: Texts): readonly number[] =>
  Array.from(batch.rows, (row) => Math.min(batch.length, examples[row]?.length ?? 0));

/** (batch, sequence, 1): what the positions of a text that is in each mixture count, padding nothing. */
const positions = (texts: Texts, textIn: (i: number) => number, shareOf: (i: number) => number) => {
  const { rows, length } = texts.batch;
  const lengths = lengthsIn(texts);
  const data = new Float32Array(rows.length * length);
  for (let i = 0; i < rows.length; i++) data.fill(shareOf(i), i * length, i * length + (lengths[textIn(i)] ?? 0));
  return { dtype: 'float32' as const, dims: [rows.length, length, 1], data };
};

const ownPositions = (texts: Texts, { kept }: Mix) =>
  positions(
    texts,
    (i) => i,
    (i) => kept[i] ?? 1,
  );

const otherPositions = (texts: Texts, { partners, kept }: Mix) =>
  positions(
    texts,
    (i) => partners[i] ?? i,
    (i) => 1 - (kept[i] ?? 1),
  );

/** (batch, batch): 1 where the text of a column is the partner of that of a row. */
const partnerRows = ({ partners }: Mix) => {
  const data = new Float32Array(partners.length ** 2);
  partners.forEach((partner, i) => {
    data[i * partners.length + partner] = 1;
  });
  return { dtype: 'float32' as const, dims: [partners.length, partners.length], data };
};

/** x'_i = k_i m_i x_i + (1 - k_i) m_j x_j, with m what is no padding and j the partner of i: (batch, sequence, width). */
const mixing = (embeddings: Within['value'], drawn: Drawn): Within => ({
  value: embeddings,
  emit: ({ builder, input }, x) => {
    const [batch, sequence, width] = builder.type(x).shape ?? [];
    if (batch === undefined || sequence === undefined || width === undefined) {
      throw modelError(`the shape of the embeddings '${x}' is not known`);
    }
    const shape = [batch, sequence, 1];
    const float = { dtype: 'float32' } as const;
    const own = input({
      ...{ ...float, name: 'mix-up/own', shape },
      feed: (step) => ownPositions(step, drawn(step)),
    });
    const other = input({
      ...{ ...float, name: 'mix-up/other', shape },
      feed: (step) => otherPositions(step, drawn(step)),
    });
    const partners = input({
      ...{ ...float, name: 'mix-up/partners', shape: [batch, batch] },
      feed: (step) => partnerRows(drawn(step)),
    });
    const perm = [1, 0, 2];
    const turned = builder.op('MatMul', [partners, builder.op('Transpose', [x], { perm })]); // (sequence, batch, width)
    const theirs = builder.op('Transpose', [turned], { perm });
    return builder.op('Add', [builder.op('Mul', [x, own]), builder.op('Mul', [theirs, other])]);
  },
});

/** Both texts are seen: a mixed one is as long as the longer of the two. */
const seeBoth = (fed: FedBatch, drawn: Drawn): void => {
  const { model, feeds, batch } = fed;
  const data = dataFed(model, feeds, 'mask');
  if (!(data instanceof BigInt64Array)) {
    throw stageError(
      'mix-up lets a text be as long as another one, and the model has no input that says where texts end',
    );
  }
  const lengths = lengthsIn(fed);
  drawn(fed).partners.forEach((partner, i) => {
    data.fill(1n, i * batch.length, i * batch.length + Math.max(lengths[i] ?? 0, lengths[partner] ?? 0));
  });
};

/** Answers about the same texts, or about their partners, each as much as its text is in the mixture. */
const sides = (drawn: Drawn): readonly ((batch: StepBatch) => StepBatch)[] => [
  (batch) => ({ ...batch, counts: drawn(batch).kept }),
  (batch) => {
    const { partners, kept } = drawn(batch);
    const numbers = batch.numbers.map((_, i) => batch.numbers[partners[i] ?? i] ?? 0);
    return { ...batch, numbers, counts: kept.map((share) => 1 - share) };
  },
];

/** L = sum_i k_i l(f(x'_i), y_i) + (1 - k_i) l(f(x'_i), y_j). */
const mixed = (loss: Loss, drawn: Drawn): Loss => ({
  ...loss,
  comparesTexts: true,
  emit: (scope) => {
    const [own, other] = sides(drawn).map((side, at) => {
      const seen = (input: LossInput): LossInput => ({
        ...{ ...input, name: at === 0 ? input.name : `partner/${input.name}` },
        feed: (batch) => input.feed(side(batch)),
      });
      return loss.emit({ ...scope, input: (input) => scope.input(seen(input)) });
    });
    if (own === undefined || other === undefined) throw new Error('two texts are mixed');
    return scope.builder.op('Add', [own, other]);
  },
});

const problem = (beside: Beside): string | undefined => {
  const { task, inside, comparing } = beside;
  const varies = wantsItsTokens(beside);
  if (varies !== undefined) return varies;
  if (task.about !== 'text') return `mix-up mixes whole texts, and data for ${task.name} has answers about their words`;
  if (inside !== undefined)
    return `mix-up makes one text of two, which no teacher has read: leave it or the loss '${inside}' out`;
  if (comparing === undefined) return undefined;
  return `mix-up makes one text of two, and the loss '${comparing}' compares single ones: leave one of them out`;
};

/**
 * Two texts of a pass are mixed in the embeddings and in the losses by a number drawn from Beta(alpha, alpha) for each text
 * (mixup: Zhang et al. 2017, arXiv 1710.09412; of embeddings of words: Guo, Mao and Zhang 2019, arXiv 1905.08941, whose shorter
 * text is filled up with zeros). Linear losses are those of the mixed target; others are mixed themselves.
 */
export const mixUp = defineAugmentation({
  uses: 'mix-up',
  summary: 'two texts of a pass are mixed, in their embeddings and in what they should be',
  options: {
    alpha: z
      .number()
      .min(0.01)
      .max(32)
      .default(0.4)
      .describe('shares are drawn from Beta(alpha, alpha): the smaller, the more often one text is nearly alone'),
  },
  problem,
  make: ({ alpha }, { seed, embeddings }) => {
    const drawn = drawing(alpha, seed);
    return {
      feed: (fed) => seeBoth(fed, drawn),
      within: mixing(embeddings(), drawn),
      loss: (loss) => mixed(loss, drawn),
    };
  },
});
