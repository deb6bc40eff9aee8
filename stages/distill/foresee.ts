import type { KnownSizes } from '../../engine/losses/imitation.ts';
import { imitationOf, imitations } from '../../engine/losses/imitations/index.ts';
import { missingLayers } from '../../engine/losses/layer-map.ts';
import { type DatasetTask, dataTask } from '../../ground/tasks.ts';
import type { Expected, Foreboding, Foreseen, Outlook } from '../expected.ts';
import { dataFor, foreseeTraining, type Training } from '../train/foresee.ts';
import { endsOf, looksInside } from './entries.ts';
import { lookedInto } from './looked.ts';
import type { DistillationConfig } from './options.ts';
import { selectProblems } from './select/option.ts';
import type { Taught } from './teachers.ts';
import { unwritable } from './written.ts';

type Entry = NonNullable<DistillationConfig['losses']>[number];

type Imitating = Omit<Training, 'losses'> & Pick<DistillationConfig, 'losses' | 'hard' | 'select' | 'written'> & Taught;

/** What is known of the teacher that an entry looks into, or that answers. */
const teacherFor = (config: Imitating, { models }: Pick<Outlook, 'models'>): ((entry: Entry) => Expected) => {
  const { 'teacher-outputs': outputs, teacher: beside } = models;
  const names = lookedInto(config);
  return ({ teacher }) => {
    const own = teacher === undefined || typeof config.teacher === 'string' ? undefined : names.get(teacher);
    return (own === undefined ? (outputs ?? beside) : models[own]) ?? {};
  };
};

/** Why a quantized model cannot be looked into. */
export const noInside = (uses: string): string =>
  `the loss '${uses}' looks inside the teacher, which is quantized, and its fused layers show nothing: leave it out, or take the ` +
  'model from before quantization as teacher';

/** Why attention of another kind cannot be compared. */
const noMaps = (uses: string, whose: 'student' | 'teacher', kind: string): string =>
  `the loss '${uses}' compares where all tokens look in whole texts, and the ${whose}'s attention is ${kind}: leave it out, or ` +
  'compare hidden states (hidden)';

/** Why both are too many. */
export const twice =
  "losses lists all that is imitated, and hidden asks for hidden states beside it: write { uses: hidden } into losses, with share as 'until'";

/** Why nothing is left to be learnt. */
export const nothingLeft = (end: number): string =>
  `every loss is left out after ${end} of the steps and hard is 0: nothing would be left to learn; leave out until of one of them`;

/** Why answers of this kind cannot be imitated so. */
export const otherAnswers = ({ uses }: Pick<Entry, 'uses'>, task: DatasetTask): string | undefined => {
  const { answer } = dataTask(task);
  const { reads } = imitationOf(uses);
  if (typeof reads === 'string' || reads.includes(answer)) return undefined;
  const fitting = imitations.flatMap((one) => {
    const kinds: readonly string[] | string = one.reads;
    return typeof kinds !== 'string' && kinds.includes(answer) ? [one.uses] : [];
  });
  return `the loss '${uses}' is for answers of another kind than those of data for ${task}; losses for these: ${fitting.join(', ')}`;
};

const sizesOf = ({ sizes = {}, headWidth }: Expected): KnownSizes => {
  const { layers, heads, hidden } = sizes;
  if (heads === undefined || hidden === undefined) return { layers, heads };
  const wide = headWidth === undefined && hidden % heads !== 0 ? undefined : heads * (headWidth ?? hidden / heads);
  return { layers, heads, width: wide };
};

const problemsOf = (entry: Entry, student: Expected, teacher: Expected, task?: DatasetTask): readonly Foreboding[] => {
  const imitation = imitationOf(entry.uses);
  const other = task === undefined ? undefined : otherAnswers(entry, task);
  if (other !== undefined) return [{ path: ['uses'], message: other }];
  if (!looksInside(entry)) return [];
  if (teacher.stored !== undefined) return [{ path: ['uses'], message: noInside(entry.uses) }];
  const [[whose, kind] = []] = [
    ['student', student.attention] as const,
    ['teacher', teacher.attention] as const,
  ].filter(([, attention]) => attention !== undefined);
  if (imitation.reads === 'attention' && whose !== undefined && kind !== undefined)
    return [{ path: ['uses'], message: noMaps(entry.uses, whose, kind) }];
  const [own, theirs] = [sizesOf(student), sizesOf(teacher)];
  const missing = missingLayers(imitation.layersOf(entry), { student: own.layers, teacher: theirs.layers });
  return [
    ...missing.map(({ at, message }) => ({ path: ['layers', at], message })),
    ...imitation.problems(entry, own, theirs),
  ];
};

/** What would stop the losses of a list. */
const wrongLosses = (config: Imitating, outlook: Pick<Outlook, 'models' | 'data'>): readonly Foreboding[] => {
  const { losses = [], hidden, hard } = config;
  const { models, data } = outlook;
  const { model = {} } = models;
  const teacherOf = teacherFor(config, outlook);
  const task = dataFor(config, data)?.task;
  const last = endsOf(losses).at(-1) ?? 1;
  return [
    ...(losses.length > 0 && hidden !== undefined ? [{ path: ['hidden'], message: twice }] : []),
    ...(last < 1 && hard === 0 ? [{ path: ['losses'], message: nothingLeft(last) }] : []),
    ...losses.flatMap((entry, i) =>
      problemsOf(entry, model, teacherOf(entry), task).map((one) => ({
        ...one,
        path: ['losses', i, ...one.path],
      })),
    ),
  ];
};

/** What distillation makes of a model, and what would stop it. */
export const foreseeDistillation = (
  config: Imitating,
  outlook: Pick<Outlook, 'models' | 'data' | 'engine'>,
): Foreseen => {
  const trained = foreseeTraining(config, 'distill', outlook);
  const selecting = selectProblems(config, outlook.models.model ?? {}, dataFor(config, outlook.data));
  return {
    ...trained,
    problems: [
      ...(trained.problems ?? []),
      ...wrongLosses(config, outlook),
      ...unwritable(config, outlook),
      ...selecting,
    ],
  };
};
