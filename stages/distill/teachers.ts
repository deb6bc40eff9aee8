import { z } from 'zod';
import type { Json } from '../../ground/json.ts';
import { type DatasetTask, type DataTask, dataTask } from '../../ground/tasks.ts';
import { inputOf } from '../mix/index.ts';
import { wayOf, ways } from '../mix/ways/index.ts';
import type { Way } from '../mix/ways/way.ts';
import type { Ref, Wiring } from '../stage.ts';

const [usual, ...others] = ways;

/** Of a vocabulary so many tokens are kept where nothing is said. */
const USUAL_KEPT = 32;

const counted = z.strictObject({
  id: z.string().describe('id of the stage'),
  weight: z.number().positive().default(1).describe('how much it counts beside the others'),
});

const several = z.strictObject({
  from: z
    .array(z.union([z.string(), counted]))
    .min(2, 'expected two teachers or more')
    .describe('ids of the stages whose models are imitated together; { id, weight } where one counts more'),
  by: z
    .enum([usual.name, ...others.map(({ name }) => name)])
    .default(usual.name)
    .describe(`how one answer is made of theirs; ${ways.map(({ name, summary }) => `${name}: ${summary}`).join('; ')}`),
});

/** Whose answers are imitated, and how they are asked for. */
export const teacherConfig = {
  teacher: z
    .union([z.string(), several])
    .describe(
      `id of the stage whose model is imitated; or several: { from: [a, { id: b, weight: 2 }], by: ${usual.name} }. ${ways
        .map(({ name, summary }) => `${name}: ${summary}`)
        .join('; ')}`,
    ),
  label: z
    .strictObject({
      with: z
        .enum(['float', 'int8'])
        .default('float')
        .describe(
          'float: the teacher as it is; int8: an INT8 copy of it, where that agrees with it on at least 99.5 % of validation texts',
        ),
      keep: z
        .int()
        .min(1)
        .max(1_000_000)
        .optional()
        .describe(
          `of each answer over a vocabulary the largest so many probabilities, beside what they leave over; left out, ${USUAL_KEPT}`,
        ),
    })
    .optional()
    .describe(
      'what labels the texts, before the student is trained; a teacher over a vocabulary answers in every step where it is left out',
    ),
} as const;

export interface Taught {
  readonly teacher: string | z.output<typeof several>;
  readonly label?: { readonly with: 'float' | 'int8'; readonly keep?: number | undefined } | undefined;
}

type Reading = NonNullable<DataTask['teacherReadsAlong']>;

const readingOf = (task: DatasetTask | undefined): Reading | undefined =>
  task === undefined ? undefined : dataTask(task).teacherReadsAlong;

/** Whether a teacher answers in every step: what it said once about an example that changes would be about another one. */
export const readsAlong = (task: DatasetTask | undefined, { label }: Pick<Taught, 'label'>): boolean => {
  const reading = readingOf(task);
  return reading === 'always' || (reading === 'unless kept' && label === undefined);
};

/** Whether the largest probabilities over a vocabulary are kept. */
export const keepsLargest = (task: DatasetTask | undefined, { label }: Pick<Taught, 'label'>): boolean =>
  readingOf(task) === 'unless kept' && label !== undefined;

/** How answers of several teachers are made one; undefined where there is one. */
const wayIn = ({ teacher }: Taught): Way | undefined => (typeof teacher === 'string' ? undefined : wayOf(teacher.by));

/** The ids of all teachers, each with the place where it is named. */
const namesIn = ({ teacher }: Taught) =>
  typeof teacher === 'string'
    ? [{ id: teacher, weight: 1, path: ['teacher'] }]
    : teacher.from.map((one, i) =>
        typeof one === 'string'
          ? { id: one, weight: 1, path: ['teacher', 'from', i] }
          : { ...one, path: ['teacher', 'from', i, 'id'] },
      );

/** The models of the teachers; one where a step or hidden states ask it itself. */
export const teachersOf = (taught: Taught, wiring: Wiring, path: readonly string[]): readonly [Ref, ...Ref[]] => {
  const [first, ...more] = namesIn(taught).map((one) => wiring.model(one.id, [...path, ...one.path]));
  if (first === undefined) throw new Error('a student has a teacher');
  return [first, ...more];
};

const whyOne = {
  along: 'such a teacher answers in every step, and only one can; expected the id of one stage',
  kept: 'of each answer the largest probabilities are kept, and of two teachers they are of other tokens; expected the id of one stage',
} as const;

/** The teacher, where there has to be one alone. */
export const onlyTeacher = (
  [first, ...more]: readonly [Ref, ...Ref[]],
  wiring: Wiring,
  path: readonly string[],
  why: keyof typeof whyOne,
): Ref => {
  if (more.length > 0) wiring.problem([...path, 'teacher'], whyOne[why]);
  return first;
};

/** The ids of all teachers. */
export const teacherIdsOf = (taught: Taught): readonly string[] => namesIn(taught).map(({ id }) => id);

/** What each teacher says about the texts, and what all of them do together, as if one had said it. */
export const taughtBy = (
  taught: Taught,
  models: readonly Ref[],
  dataset: Ref,
  { task, temperature = 1 }: { readonly task: DatasetTask | undefined; readonly temperature?: number | undefined },
  wiring: Wiring,
): { readonly said: readonly Ref[]; readonly outputs: Ref } => {
  const way = wayIn(taught);
  const { label } = taught;
  const config: Json = {
    ...(label?.with === 'int8' ? { with: 'int8' } : {}),
    ...(keepsLargest(task, taught) ? { keep: label?.keep ?? USUAL_KEPT } : {}),
    ...(keepsLargest(task, taught) && temperature !== 1 ? { temperature } : {}),
    ...(way?.validates === true ? { validation: true } : {}),
  };
  const said = models.map((model) => wiring.step('label', config, { model, dataset }));
  const [first] = said;
  if (first === undefined) throw new Error('a student has a teacher');
  if (way === undefined) return { said, outputs: first };
  const weights = namesIn(taught).map(({ weight }) => weight);
  const mixed = { by: way.name, ...(new Set(weights).size > 1 ? { weights } : {}) };
  return { said, outputs: wiring.step('mix', mixed, Object.fromEntries(said.map((one, k) => [inputOf(k), one]))) };
};

const waysFor = (task: DatasetTask): string => {
  const able = ways.filter(({ answers }) => answers.includes(dataTask(task).answer)).map(({ name }) => name);
  return able.length === 0 ? 'expected the id of one stage' : `expected ${able.join(' or ')}`;
};

/** What is wrong with several teachers, whatever their models are. */
export const expectMixable = (
  taught: Taught,
  task: DatasetTask | undefined,
  wiring: Wiring,
  path: readonly string[],
): void => {
  const way = wayIn(taught);
  if (way === undefined) return;
  const names = namesIn(taught);
  const twice = names.find(({ id }, i) => names.findIndex((other) => other.id === id) < i);
  if (twice !== undefined)
    wiring.problem([...path, ...twice.path], `"${twice.id}" is a teacher twice; give it a weight instead`);
  if (task !== undefined && !way.answers.includes(dataTask(task).answer)) {
    wiring.problem([...path, 'teacher', 'by'], `by: ${way.name} mixes no answers of ${task}; ${waysFor(task)}`);
  }
  if (way.validates && names.some(({ weight }) => weight !== 1)) {
    wiring.problem([...path, 'teacher', 'by'], `by: ${way.name} takes one teacher a text; weights are for by: mean`);
  }
};
