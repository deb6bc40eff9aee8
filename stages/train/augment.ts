import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { AugmentEntry, Beside } from '../../engine/augment/augmentation.ts';
import { augmentationOf, augmentations } from '../../engine/augment/index.ts';
import { imitationOf } from '../../engine/losses/imitations/index.ts';
import { type DatasetTask, dataTask } from '../../ground/tasks.ts';
import type { Expected, Foreboding } from '../expected.ts';
import type { Ref, Wiring } from '../stage.ts';

const [first, ...others] = augmentations;

/** One augmentation by its name, with its options. */
const entry: z.ZodType<AugmentEntry> = z.discriminatedUnion('uses', [
  first.schema,
  ...others.map(({ schema }) => schema),
]);

export const augmentOption = z
  .array(entry)
  .superRefine((entries, ctx) => {
    entries.forEach(({ uses }, i) => {
      if (entries.findIndex((other) => other.uses === uses) === i) return;
      ctx.addIssue({ code: 'custom', path: [i, 'uses'], message: `${uses} was listed before; expected each once` });
    });
  })
  .optional()
  // What is usual belongs to no key: a grid of augmentations has an empty list beside the others.
  .transform((entries) => (entries?.length === 0 ? undefined : entries))
  .meta({
    description: `What other texts are made of those that are trained on, at every update anew; { uses, ... } with its own options. ${augmentations
      .map(({ uses, summary }) => `${uses}: ${summary}`)
      .join('; ')}.`,
  });

/** As much of the options of a training as says what its texts become, and what they are learnt by. */
export interface Augmenting {
  readonly augment?: readonly AugmentEntry[] | undefined;
  readonly tokenDropout?: number | undefined;
  readonly losses?: readonly { readonly uses: string }[] | undefined;
  readonly hidden?: object | undefined;
}

const besideOf = ({ losses = [], hidden }: Augmenting, task: DatasetTask): Beside => {
  const all = [...losses.map(({ uses }) => uses), ...(hidden === undefined ? [] : ['hidden'])];
  return {
    task: dataTask(task),
    inside: all.find((uses) => typeof imitationOf(uses).reads === 'string'),
    comparing: all.find((uses) => imitationOf(uses).comparesTexts),
  };
};

const twice = 'augment lists tokens, which is tokenDropout by another name: leave one of them out';

/** Why other words are none to the model. */
export const otherTokens =
  'the model and the masked language model cut texts into different tokens: name one with the same tokenizer, or leave words out';

/** What would stop words of a guesser that reads texts by other rules. */
export const wordsProblems = (
  { augment = [] }: Augmenting,
  { model, rewordings }: Readonly<Record<string, Expected | undefined>>,
): readonly Foreboding[] => {
  const at = augment.findIndex(({ uses }) => augmentationOf(uses).rewords);
  const [own, theirs] = at < 0 ? [] : [model?.reads?.(), rewordings?.reads?.()];
  if (own === undefined || theirs === undefined || isDeepStrictEqual(own, theirs)) return [];
  return [{ path: ['augment', at, 'model'], message: otherTokens }];
};

/** What would stop augmentation of data for a task. */
export const augmentProblems = (config: Augmenting, task: DatasetTask | undefined): readonly Foreboding[] => {
  const { augment = [], tokenDropout = 0 } = config;
  const dropped = augment.findIndex(({ uses }) => uses === 'tokens');
  const problems = dropped >= 0 && tokenDropout > 0 ? [{ path: ['augment', dropped, 'uses'], message: twice }] : [];
  if (task === undefined) return problems;
  const beside = besideOf(config, task);
  const wrong = augment.flatMap(({ uses }, i): readonly Foreboding[] => {
    const message = augmentationOf(uses).problem(beside);
    return message === undefined ? [] : [{ path: ['augment', i, 'uses'], message }];
  });
  return [...problems, ...wrong];
};

/** What a training reads for its augmentations: other words, where one asks for them. */
export const wireAugmentations = (
  { augment = [] }: Augmenting,
  learns: { readonly unlabelled: boolean },
  wiring: Wiring,
  path: readonly string[] = [],
): Readonly<Record<string, Ref>> => {
  const at = augment.findIndex(({ uses }) => augmentationOf(uses).rewords);
  const { model: id, top }: Partial<AugmentEntry> = augment[at] ?? {};
  if (typeof id !== 'string' || typeof top !== 'number') return {};
  const model = wiring.model(id, [...path, 'augment', at, 'model']);
  const inputs = { model, dataset: wiring.dataset() };
  const config = { top, ...(learns.unlabelled ? {} : { labelled: true }) };
  return { rewordings: wiring.step('reword', config, inputs) };
};
