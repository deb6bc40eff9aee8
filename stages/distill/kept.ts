import { isDeepStrictEqual } from 'node:util';
import type { ImitationEntry } from '../../engine/losses/imitation.ts';
import { readsInside } from '../../engine/losses/imitation.ts';
import { imitationOf, imitations } from '../../engine/losses/imitations/index.ts';
import { digestOfJson } from '../../ground/digest.ts';
import { stageError } from '../../ground/errors.ts';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import type { TeacherOutputs } from '../label/outputs.ts';
import type { Wiring } from '../stage.ts';
import type { DistillationConfig } from './options.ts';
import { keepsLargest, type Taught } from './teachers.ts';

type Kept = Taught & Partial<Pick<DistillationConfig, 'losses' | 'temperature'>>;

const able = imitations.flatMap(({ uses, takesLargest }) => (takesLargest ? [uses] : [])).join(' or ');

/** Why a loss cannot do with the largest probabilities at one temperature; undefined where it can. */
const problemOf = (entry: ImitationEntry, temperature: unknown): readonly [at: string, message: string] | undefined => {
  const imitation = imitationOf(entry.uses);
  if (readsInside(imitation)) return undefined;
  if (!imitation.takesLargest) {
    return [
      'uses',
      `the loss '${entry.uses}' reads every score of the teacher, of which the largest are kept; expected ${able}, or no label`,
    ];
  }
  if (entry.temperature === undefined || isDeepStrictEqual(entry.temperature, temperature)) return undefined;
  return [
    'temperature',
    'what is kept was softened once, by the temperature of the stage; leave this one out, or label',
  ];
};

/** What is wrong with keeping the largest of a teacher's probabilities, whatever the models are. */
export const expectKeepable = (
  config: Kept,
  task: DatasetTask | undefined,
  wiring: Wiring,
  path: readonly string[],
): void => {
  if (!keepsLargest(task, config)) {
    if (task === undefined || config.label?.keep === undefined) return;
    wiring.problem(
      [...path, 'label', 'keep'],
      `keep is for what a teacher says of the tokens that follow each other, and the data is for ${task}; leave it out`,
    );
    return;
  }
  for (const [at, entry] of (config.losses ?? []).entries()) {
    const [key, message] = problemOf(entry, config.temperature) ?? [];
    if (key !== undefined && message !== undefined) wiring.problem([...path, 'losses', at, key], message);
  }
};

/** What a teacher kept is about its own tokens: a student of others is told. */
export const expectSameTokens = (student: Model, { tokens }: TeacherOutputs): void => {
  if (tokens === undefined || tokens === digestOfJson(student.tokenizer)) return;
  throw stageError(
    'student and teacher cut texts into different tokens, and what was kept of the answers is about those of the teacher: leave ' +
      'label out, so that it answers in every step, or cut the student from the teacher without its vocabulary',
  );
};
