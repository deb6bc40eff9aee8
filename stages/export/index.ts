import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { notes, usage } from '../../ground/reported/stage.ts';
import { precisions } from '../../models/precision.ts';
import type { Foreboding, Outlook } from '../expected.ts';
import { defineStage } from '../stage.ts';
import { differ } from './differ.ts';

const config = z.strictObject({
  to: z.literal('transformers-js').default('transformers-js').meta({ description: 'Layout of the folder.' }),
  languages: z
    .array(
      z
        .string()
        .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, "expected the code of a language, such as 'en' or 'pt-BR'"),
    )
    .min(1)
    .exactOptional()
    .meta({
      description:
        'Languages of the texts for the model card, as [en, de]; left out, the card says that they are not known.',
    }),
});

export type Config = z.output<typeof config>;

/** In what models of one folder are known to differ; undefined where in nothing. */
const differing = (models: Outlook['models']): string | undefined =>
  (['task', 'labels', 'modelType'] as const).find((part) => {
    const known = Object.values(models).map((model) => model?.[part]);
    const [first, ...others] = known.filter((value) => value !== undefined);
    return others.some((other) => !isDeepStrictEqual(first, other));
  });

/** Models that stand under the name of another format than theirs. */
const misnamed = (models: Outlook['models']): readonly Foreboding[] =>
  Object.entries(models).flatMap(([name, model]) => {
    const stored = model?.stored;
    if (stored === undefined || stored === name) return [];
    return [{ path: ['from', name], message: `this model is stored in ${stored}; write ${stored} before it` }];
  });

/** What it leaves for the report. */
const reported = z.looseObject({ files: z.array(z.string()), bytes: z.record(z.string(), z.number()), notes, usage });

export type Reported = z.infer<typeof reported>;

/** Writes a folder that transformers.js loads, in Node and in browsers. */
export const exportStage = defineStage({
  uses: 'export',
  version: 12,
  summary: 'A folder that @huggingface/transformers loads: ONNX files, tokenizer, config and model card.',
  config,
  place: 'named',
  metrics: reported,
  makes: 'folder',
  draws: false,
  from: precisions,
  takes: Object.fromEntries(precisions.map((name) => [name, name === 'fp32' ? 'floats' : 'fewer bits'] as const)),
  wire: () => ({}),
  foresee: (_, { models }) => {
    const part = differing(models);
    const wrong = misnamed(models);
    return { problems: [...(part === undefined ? [] : [{ path: ['from'], message: differ(part) }]), ...wrong] };
  },
  run: async (...given) => (await import('./work.ts')).run(...given),
});
