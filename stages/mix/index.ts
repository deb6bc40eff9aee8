import { z } from 'zod';
import type { Expected, Foreboding, Outlook } from '../expected.ts';
import { defineStage } from '../stage.ts';
import { ways } from './ways/index.ts';

const config = z.strictObject({
  by: z.enum(ways.map(({ name }) => name)),
  /** How much each counts, in their order; all the same where it is left out. */
  weights: z.array(z.number().positive()).exactOptional(),
});

export type Config = z.infer<typeof config>;

const reported = z.looseObject({
  texts: z.number(),
  by: z.string(),
  /** Of each teacher: the temperature that makes it as sure as it is right, and of how many answers it is the best. */
  temperatures: z.array(z.number()).exactOptional(),
  chosen: z.array(z.number()).exactOptional(),
});

export type Reported = z.infer<typeof reported>;

/** The name by which what a teacher said comes in. */
export const inputOf = (teacher: number): string => `outputs-${teacher}`;

const said = (classes: readonly string[]): string =>
  `${classes.length} classes (${classes.slice(0, 3).join(', ')}${classes.length > 3 ? ', ...' : ''})`;

/** Why what two teachers say cannot be one; undefined where it can, or nothing is known. */
export const othersProblem = (all: readonly (readonly string[] | undefined)[]): string | undefined => {
  const known = all.filter((classes) => classes !== undefined);
  const [first, ...others] = known;
  const other = others.find((classes) => classes.join('\n') !== first?.join('\n'));
  if (first === undefined || other === undefined) return undefined;
  return `one teacher knows ${said(first)}, another ${said(other)}; expected the same in the same order: train both on this data`;
};

const teachersIn = ({ models }: Outlook): readonly (Expected | undefined)[] =>
  Object.entries(models)
    .filter(([name]) => name.startsWith('outputs-'))
    .map(([, model]) => model);

const problemsOf = (outlook: Outlook): readonly Foreboding[] => {
  const message = othersProblem(teachersIn(outlook).map((model) => model?.labels));
  return message === undefined ? [] : [{ path: [], code: 'other-classes', message }];
};

/** What several teachers say together: what students are taught by is one teacher's outputs, whoever spoke. */
export const mix = defineStage({
  uses: 'mix',
  version: 1,
  summary: 'What several teachers say together about every training text.',
  config,
  place: 'asked',
  metrics: reported,
  makes: 'teacher-outputs',
  draws: false,
  environment: 'none',
  from: [],
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  foresee: (_, outlook) => ({ model: teachersIn(outlook)[0], problems: problemsOf(outlook) }),
  effort: (_, { train, unlabelled }) => ({ read: train + unlabelled }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
