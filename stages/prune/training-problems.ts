import type { PruneOptions } from './config.ts';
import { isLearnt } from './criteria/index.ts';
import { compensationOf, countsLayers } from './needs.ts';
import { riseOf } from './schedules/schedule.ts';
import { isGradual, makesZeros, masksEvery } from './zero-options.ts';

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const when = (isWrong: boolean, path: Problem['path'], message: string): readonly Problem[] =>
  isWrong ? [{ path, message }] : [];

/** What gates can be on. */
const gated = ['heads', 'ffn', 'hidden'] as const;

/** Gates are learnt while the model trains. */
const ofGates = (given: PruneOptions): readonly Problem[] => {
  const { keep = {}, criterion, recover, rounds, compensate } = given;
  if (!isLearnt(criterion)) return [];
  const asked = countsLayers(keep) || gated.some((key) => keep[key] !== undefined);
  const learns = `criterion ${criterion} learns gates on ${gated.join(', ')} and layers`;
  return [
    ...when(!asked, ['criterion'], `${learns}: say how many of them to keep`),
    ...when(recover === undefined, ['criterion'], `${learns} while the model trains: add recover`),
    ...when(
      keep.embedding !== undefined,
      ['keep', 'embedding'],
      `${learns}, not embedding: cut that in a stage of its own`,
    ),
    ...when(
      given.budget !== undefined,
      ['budget'],
      `${learns}, by counts: leave budget out, or take another criterion`,
    ),
    ...when(makesZeros(given), ['criterion'], `${learns}: make zeros in a stage of its own`),
    ...when(rounds > 1, ['rounds'], `${learns} all the way: leave rounds out`),
    ...when(
      compensate !== undefined && compensationOf(given) !== 'none',
      ['compensate'],
      `${learns}, and training makes up for what goes: leave compensate out`,
    ),
    ...when(
      recover?.patience !== undefined,
      ['recover', 'patience'],
      'early stopping could end recovery before gates are decided: leave patience out',
    ),
  ];
};

/** Zeros in rounds: two at least, and masks that change as often. */
const ofRounds = (given: PruneOptions): readonly Problem[] => {
  const { schedule, rounds, recover } = given;
  if (schedule !== 'rounds' || !isGradual(given)) return [];
  const { begin, end } = riseOf(recover?.steps ?? Number.MAX_SAFE_INTEGER);
  const every = masksEvery(given);
  const changes = Math.ceil((end - begin) / every);
  return [
    ...when(rounds < 2, ['schedule'], 'schedule: rounds makes zeros in several cuts: add rounds: 2 or more'),
    ...when(
      rounds > changes,
      ['rounds'],
      `zeros come over ${end - begin} steps, and masks change every ${every}: that is ${changes} ${changes === 1 ? 'cut' : 'cuts'} at most, and ${rounds} were asked for`,
    ),
  ];
};

/** How zeros come while a model trains, where they are made at once. The default says nothing, since nobody need have said it. */
const ofPace = (given: PruneOptions): readonly Problem[] => {
  if (isGradual(given)) return [];
  const { schedule, every } = given;
  const why = makesZeros(given) ? 'zeros are made at once here' : 'no zeros are made here';
  return [
    ...when(
      schedule === 'linear' || schedule === 'rounds',
      ['schedule'],
      `schedule: ${schedule} is how zeros come while recovery trains, and ${why}: leave it out`,
    ),
    ...when(every !== undefined, ['every'], `every is about masks while recovery trains, and ${why}: leave it out`),
  ];
};

/** What is wrong with options about what is learnt, or goes, while a model trains. */
export const trainingProblems = (given: PruneOptions): readonly Problem[] => [
  ...ofGates(given),
  ...ofRounds(given),
  ...ofPace(given),
];
