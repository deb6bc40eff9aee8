import { modelTask } from '../../ground/tasks.ts';
import { kindOf } from '../../models/attention/kinds/index.ts';
import { paysFrom } from '../../models/attention/pays.ts';
import { foreseeRecovery } from '../distill/recover-plan.ts';
import type { Expected, Foreboding, Foreseen, Outlook } from '../expected.ts';
import { type AttentionOptions, settingsOf } from './config.ts';

const missingLayers = ({ layers = [] }: AttentionOptions, available: number | undefined): readonly Foreboding[] =>
  layers.flatMap((layer, i) =>
    available === undefined || layer < available
      ? []
      : [{ path: ['layers', i], message: `the model's layers are 0 to ${available - 1}; found ${layer}` }],
  );

/** Every kind lets positions see what follows them. */
const looksAhead = ({ kind }: AttentionOptions, { task }: Expected): readonly Foreboding[] => {
  if (kind === undefined || task === undefined || modelTask(task).reads !== 'before') return [];
  const message = `${kind} attention lets tokens see those behind them, and a model of ${task} writes those: no kind is for decoders`;
  return [{ path: ['kind'], message }];
};

/** Positions that there are already. */
const noLonger = ({ positions }: AttentionOptions, { maxLength }: Expected): readonly Foreboding[] => {
  if (positions === undefined || maxLength === undefined || positions.to > maxLength) return [];
  const message = `the model has positions for ${maxLength} tokens already; expected more`;
  return [{ path: ['positions', 'to'], message }];
};

const longestOf = ({ positions }: AttentionOptions, { maxLength }: Expected): number | undefined =>
  positions?.to ?? maxLength;

/** A kind that lets positions see everything, or reaches beyond the longest text. */
const tooWide = (options: AttentionOptions, model: Expected): readonly Foreboding[] => {
  const longest = longestOf(options, model);
  if (options.kind === undefined || longest === undefined) return [];
  const { width, global } = settingsOf(options);
  const texts = `the longest text has ${longest} tokens`;
  if (width >= longest) return [{ path: ['width'], message: `width ${width} reaches all: ${texts}; take less` }];
  return global >= longest
    ? [{ path: ['global'], message: `${global} global positions are all: ${texts}; take fewer` }]
    : [];
};

/** From which length on it saves time, as a formula has it. */
const remarksOf = (options: AttentionOptions, model: Expected): readonly string[] => {
  const { kind } = options;
  const { hidden, heads } = model.sizes ?? {};
  const longest = longestOf(options, model);
  if (kind === undefined || hidden === undefined || heads === undefined || longest === undefined) return [];
  if (looksAhead(options, model).length > 0) return [];
  const width = model.headWidth ?? Math.round(hidden / heads);
  const from = paysFrom(kindOf(kind), settingsOf(options), { heads, headWidth: width }, longest);
  return [
    from === undefined
      ? `${kind} attention saves no time up to ${longest} tokens, the longest text that the model takes, by a formula`
      : `${kind} attention saves time from about ${from} tokens on, by a formula`,
  ];
};

/** What the stage makes of a model, and what a run would refuse. */
export const foreseeAttention = (options: AttentionOptions, outlook: Outlook): Foreseen => {
  const given = outlook.models.model ?? {};
  const longest = longestOf(options, given);
  const model: Expected = {
    ...given,
    ...(longest === undefined ? {} : { maxLength: longest }),
    ...(options.kind === undefined || options.layers !== undefined ? {} : { attention: options.kind }),
  };
  const problems = [
    ...looksAhead(options, given),
    ...missingLayers(options, given.sizes?.layers),
    ...noLonger(options, given),
    ...tooWide(options, given),
  ];
  const remarks = remarksOf(options, given);
  if (options.recover === undefined) return { model, problems, remarks };
  const trained = foreseeRecovery(options.recover, { ...outlook, models: { ...outlook.models, model } });
  return { ...trained, problems: [...problems, ...(trained.problems ?? [])], remarks };
};
