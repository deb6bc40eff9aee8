import { bytes, bytesIn } from '../../ground/bytes.ts';
import { dataTask, modelTask } from '../../ground/tasks.ts';
import type { Role } from '../../models/anatomy/roles.ts';
import { foreseeRecovery } from '../distill/recover-plan.ts';
import type { DataFacts, Expected, Foreboding, Foreseen, Outlook } from '../expected.ts';
import { belowLeast } from './budget/foresee.ts';
import { widthsOf } from './budget/levels.ts';
import { freeKinds } from './budget/options.ts';
import { isPruned, type PruneOptions } from './config.ts';
import { type Count, targetOf, unsharedWords } from './counts.ts';
import { isLearnt, ranksOnExamples } from './criteria/index.ts';
import { beforeGates, countsLayers } from './needs.ts';
import { tooShort } from './short.ts';
import { isGradual, looksAtGradients, makesZeros, prunableIn, zerosAsked } from './zero-options.ts';

type Keep = NonNullable<PruneOptions['keep']>;
type Sizes = NonNullable<Expected['sizes']>;

const named = {
  heads: 'heads in each layer',
  kvHeads: 'heads of keys and values in each layer',
  ffn: 'feed-forward neurons in each layer',
  vocabulary: 'tokens',
} as const;
const wide = { hidden: 'channels', embedding: 'channels of the token embeddings' } as const;
const units = { ...named, ...wide, layers: 'layers' } as const;
const parameters: Readonly<Record<Role, string>> = {
  matrix: 'matrices',
  classifier: 'classifier',
  embedding: 'tied embeddings',
  norm: 'norms',
  bias: 'biases',
};
const counted = ['vocabulary', 'hidden', 'heads', 'kvHeads', 'ffn', 'layers', 'embedding'] as const;

const isCount = (kept: Keep[keyof Keep]): kept is Count =>
  typeof kept === 'number' || (typeof kept === 'string' && kept !== 'used');

/** Wider embeddings count among the widths of the stream. */
const availableOf = (key: (typeof counted)[number], { embedding = 0, ...sizes }: Sizes): number | undefined => {
  if (key === 'embedding') return embedding === 0 ? undefined : embedding;
  const size = sizes[key];
  return key === 'hidden' && size !== undefined ? Math.max(size, embedding) : size;
};

/** Counts that are larger than what there is. */
const tooMany = (keep: Keep, sizes: Sizes): readonly Foreboding[] =>
  counted.flatMap((key) => {
    const [kept, available] = [keep[key], availableOf(key, sizes)];
    if (typeof kept !== 'number' || available === undefined || kept <= available) return [];
    const message = `${kept} were to be kept of ${available} ${units[key]}; give at most ${available}`;
    return [{ path: ['keep', key], message }];
  });

/** Heads of keys and values that cannot stand for those there are in equal groups, or are asked for where nothing is remembered. */
const unevenGroups = ({ kvHeads }: Keep, { task, sizes = {} }: Expected): readonly Foreboding[] => {
  if (kvHeads === undefined) return [];
  const path = ['keep', 'kvHeads'];
  if (task !== undefined && modelTask(task).reads !== 'before')
    return [
      { path, message: `only decoders have heads of keys and values that others share, the model puts out ${task}` },
    ];
  if (sizes.heads !== undefined && sizes.kvHeads === undefined) return [{ path, message: unsharedWords() }];
  const uneven = [sizes.kvHeads, sizes.heads].find(
    (heads) => heads !== undefined && heads % targetOf(kvHeads, sizes.kvHeads ?? heads).kept !== 0,
  );
  if (uneven === undefined) return [];
  return [
    { path, message: `${kvHeads} cannot stand for ${uneven} heads in equal groups: choose a number that divides them` },
  ];
};

const missingLayers = ({ layers }: Keep, available: number | undefined): readonly Foreboding[] => {
  if (typeof layers !== 'object' || available === undefined) return [];
  return layers.flatMap((layer, i) =>
    layer < available
      ? []
      : [{ path: ['keep', 'layers', i], message: `the model's layers are 0 to ${available - 1}; found ${layer}` }],
  );
};

/** Whether the data says what a model should answer: there is a loss then. */
const isLearned = (task: Expected['task'], data: DataFacts | undefined): boolean => {
  if (task === undefined) return true;
  return data === undefined
    ? modelTask(task).answer !== 'vector'
    : task === data.task && dataTask(data.task).truth !== 'teacher';
};

/** Importance by a loss takes one, which only models have that were trained for the data. */
const needsLoss = (options: PruneOptions, { task }: Expected, data: DataFacts | undefined): readonly Foreboding[] => {
  const { heads, ffn, hidden } = options.keep ?? {};
  const named = [heads, ffn, hidden, options.budget].some((asked) => asked !== undefined);
  const ranks = named || countsLayers(options.keep ?? {});
  if (isLearned(task, data)) return [];
  const train = data !== undefined && dataTask(data.task).truth === 'teacher' ? '' : 'train it first, or ';
  const problem = (path: string, key: string, name: string): Foreboding => {
    const why = `measures a loss on what the data says, the model puts out ${task}`;
    return { path: [path], message: `${key} ${name} ${why}; ${train}choose ${key}: magnitude` };
  };
  return [
    ...(ranks && ranksOnExamples(options.criterion)
      ? [problem(options.keep === undefined ? 'budget' : 'keep', 'criterion', options.criterion)]
      : []),
    ...(looksAtGradients(options) ? [problem('saliency', 'saliency', zerosAsked(options).saliency.name)] : []),
  ];
};

/** Whether the widths of a model are multiples of what goes together. */
const misfits = (options: PruneOptions, { hidden, ffn }: Sizes): readonly Foreboding[] => {
  const { text, rows, columns } = zerosAsked(options).pattern;
  const unit = Math.max(rows, columns);
  if (!makesZeros(options) || unit === 1) return [];
  const widths = [
    ['the model', hidden],
    ['its feed-forward blocks', ffn],
  ] as const;
  return widths.flatMap(([what, width]) => {
    if (width === undefined || (width % rows === 0 && width % columns === 0)) return [];
    const larger = unit > width ? `is larger than ${what}, ${width} wide` : `does not divide ${what}, ${width} wide`;
    return [{ path: ['pattern'], message: `pattern ${text} ${larger}: take another one, or keep another width` }];
  });
};

/** What makes zeros of the head while recovery is to leave it as it is. */
const heldHead = (options: PruneOptions, { head }: Expected): readonly Foreboding[] => {
  const { recover } = options;
  const at = recover?.freeze.indexOf('head') ?? -1;
  const pruned = head?.filter((role) => isPruned(role, prunableIn(options))) ?? [];
  if (!isGradual(options) || at < 0 || pruned.length === 0) return [];
  const message =
    `recovery is to leave the head as it is, which is all behind the last layer, and sparsity to make zeros of ` +
    `its ${pruned.map((role) => parameters[role]).join(', ')}: leave one of them out`;
  return [{ path: ['recover', 'freeze', at], message }];
};

/** Query heads go with the heads of keys and values that they share. */
const withGroups = (cut: Sizes, { heads }: Sizes): Sizes =>
  heads === undefined || cut.kvHeads === undefined || cut.heads === undefined
    ? cut
    : { ...cut, kvHeads: Math.max(1, Math.round((cut.kvHeads * cut.heads) / heads)) };

/** How many are left: in each layer as many where layers do not compete with each other. */
const left = (keep: Keep, sizes: Sizes, scope: PruneOptions['scope']): Sizes => {
  const kept = Object.entries(sizes).map(([key, size]) => {
    const one = keep[key as keyof typeof keep & keyof Sizes] ?? (key === 'embedding' ? keep.hidden : undefined);
    if (one === undefined || size === undefined) return [key, size];
    if (typeof one === 'object') return [key, one.length];
    if (!isCount(one)) return [key, size];
    if (scope === 'global' && (key === 'heads' || key === 'ffn')) return [key, size];
    return [key, key === 'layers' && typeof one === 'string' ? size : Math.min(size, targetOf(one, size).kept)];
  });
  return withGroups(Object.fromEntries(kept), sizes);
};

/** What a budget may cut is not known before. */
const beside = ({ budget, keep }: PruneOptions, sizes: Sizes): Sizes => {
  if (budget === undefined) return sizes;
  const cut = new Set<string>(freeKinds(budget, keep));
  return Object.fromEntries(Object.entries(sizes).filter(([key]) => !cut.has(key)));
};

const FLOAT = 4;

/** Bytes that the token table has at least, whatever is cut; undefined where that is not known. */
const leastTable = ({ budget, keep = {} }: PruneOptions, sizes: Sizes): number | undefined => {
  const { vocabulary, hidden, embedding = hidden } = sizes;
  if (budget === undefined || vocabulary === undefined || embedding === undefined || keep.vocabulary === 'used')
    return undefined;
  const tokens = keep.vocabulary === undefined ? vocabulary : targetOf(keep.vocabulary, vocabulary).kept;
  const narrowest = budget.cuts.includes('hidden')
    ? (widthsOf(Math.min(embedding, hidden ?? embedding)).at(-1) ?? 1)
    : embedding;
  const kept = [keep.hidden, keep.embedding].map((count) =>
    count === undefined ? embedding : targetOf(count, embedding).kept,
  );
  return FLOAT * tokens * Math.min(narrowest, ...kept);
};

/** A budget that what must stay does not keep to; of bytes the token table alone may be too much. */
const tooSmall = (options: PruneOptions, model: Expected, data: DataFacts | undefined): readonly Foreboding[] => {
  const asked = bytesIn(options.budget?.bytes ?? '');
  const least = leastTable(options, model.sizes ?? {});
  if (asked === undefined || least === undefined || least <= asked) return belowLeast(options, model, data);
  const message =
    `the table of tokens alone takes at least ${bytes(least)}, more than the budget: allow more, cut tokens ` +
    '(keep: { vocabulary: used }), their width (keep: { embedding: 128 }) or the stream (cuts: [..., hidden])';
  return [{ path: ['budget', 'bytes'], message }];
};

/** Cutting heads or the width leaves each head as wide as it was. */
const headWidthOf = ({ headWidth, sizes = {} }: Expected): Pick<Expected, 'headWidth'> => {
  const { hidden, heads } = sizes;
  if (headWidth !== undefined) return { headWidth };
  return hidden === undefined || heads === undefined || hidden % heads !== 0 ? {} : { headWidth: hidden / heads };
};

/** Sizes while gates are learnt: layers that are named have gone before, and tokens. */
const whole = ({ keep = {}, scope }: PruneOptions, { sizes }: Expected): Pick<Expected, 'sizes'> =>
  sizes === undefined ? {} : { sizes: left(beforeGates(keep), sizes, scope) };

/** What pruning leaves of a model, and which of the counts it cannot keep. */
export const foreseePruning = (options: PruneOptions, outlook: Outlook): Foreseen => {
  const { models, data } = outlook;
  const { model = {} } = models;
  const { keep, recover } = options;
  const named = keep === undefined ? model.sizes : model.sizes && left(keep, model.sizes, options.scope);
  const sizes = named && beside(options, named);
  const { tokens, ...others } = model;
  const known = keep?.vocabulary === undefined && tokens !== undefined ? { tokens } : {};
  const pruned: Expected = { ...others, ...known, ...headWidthOf(model), ...(sizes === undefined ? {} : { sizes }) };
  const own = [
    ...(keep === undefined || model.sizes === undefined
      ? []
      : [...tooMany(keep, model.sizes), ...missingLayers(keep, model.sizes.layers)]),
    ...(keep === undefined ? [] : unevenGroups(keep, model)),
    ...(model.stored === undefined ? tooSmall(options, model, data) : []),
    ...needsLoss(options, model, data),
    ...misfits(options, sizes ?? {}),
    ...heldHead(options, model),
  ];
  if (recover === undefined) return { model: pruned, problems: own };
  const short = tooShort(options, recover.steps);
  const remarks = short === undefined ? {} : { remarks: [short] };
  const trained = foreseeRecovery(recover, { ...outlook, models: { ...models, model: pruned } });
  // Where gates are learnt the model is whole while losses look into it.
  const looked = isLearnt(options.criterion)
    ? foreseeRecovery(recover, { ...outlook, models: { ...models, model: { ...pruned, ...whole(options, model) } } })
    : trained;
  return { ...trained, ...remarks, problems: [...own, ...(looked.problems ?? [])] };
};
