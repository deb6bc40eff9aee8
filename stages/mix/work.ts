import type { Dataset } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { blankRows, isUnread, putRow, type Rows } from '../../data/rows.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import { dataTask } from '../../ground/tasks.ts';
import { answersFor, readTeacherOutputs, type TeacherOutputs, writeTeacherOutputs } from '../label/outputs.ts';
import type { StageRun } from '../stage.ts';
import type { Config, Reported } from './index.ts';
import { inputOf, othersProblem } from './index.ts';
import { wayOf } from './ways/index.ts';
import type { Known, Mixed, Said } from './ways/way.ts';

const teachersIn = async (inputs: Readonly<Record<string, InputArtifact>>): Promise<readonly TeacherOutputs[]> => {
  const all: TeacherOutputs[] = [];
  for (let k = 0; ; k++) {
    const input = inputs[inputOf(k)];
    if (input === undefined) return all;
    all.push(await readTeacherOutputs(input.path));
  }
};

/** Answers of all teachers stand in the same rows. */
const expectAlike = (teachers: readonly TeacherOutputs[]): void => {
  const problem = othersProblem(teachers.map(({ classes }) => classes));
  if (problem !== undefined) throw stageError(problem);
  const widths = new Set(teachers.map(({ rows }) => rows.width));
  if (widths.size > 1) {
    throw stageError(
      `one teacher gives ${[...widths].join(' numbers, another ')}; expected teachers whose vectors lie in one space`,
    );
  }
};

const wholeWeights = (given: readonly number[] | undefined, count: number): readonly number[] => {
  const weights = given ?? new Array<number>(count).fill(1);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => weight / sum);
};

const validated = (teachers: readonly TeacherOutputs[], { validation }: Dataset): Known => {
  const known = validation.filter(({ target }) => typeof target === 'number');
  if (known.length === 0)
    throw stageError('the data has no validation texts, by which the best teacher of a text is told');
  const ids = known.map(({ id }) => id);
  return {
    rows: teachers.map((teacher) => answersFor(teacher, ids)),
    targets: known.map(({ target }) => (typeof target === 'number' ? target : -1)),
  };
};

/** All rows, as one teacher would have said them. */
const mixedRows = ({ rows }: Said, { put }: Mixed): Rows => {
  const [first] = rows;
  if (first === undefined) throw new Error('several teachers are mixed, not none');
  const made = blankRows(first.unread.length, first.width, first.columns);
  const numbers = new Float32Array(first.width);
  const all = rows.map((_, k) => k);
  for (let row = 0; row < first.unread.length; row++) {
    const read = all.filter((k) => !isUnread(rows[k] as Rows, row));
    if (read.length === 0) continue;
    put(row, read, numbers);
    putRow(made, row, numbers);
  }
  return made;
};

export const run: StageRun<Config, Reported> = async (inputs, { by, weights }, ctx) => {
  if (inputs.dataset === undefined) throw new Error('mix needs a dataset');
  const dataset = await readDatasetArtifact(inputs.dataset.path);
  const teachers = await teachersIn(inputs);
  expectAlike(teachers);
  const [first] = teachers;
  if (first === undefined) throw new Error('mix needs what teachers said');
  const way = wayOf(by);
  const ids = [...first.ids];
  const { answer } = dataTask(dataset.task);
  const rows = teachers.map((teacher) => answersFor(teacher, ids));
  if (rows.some(({ unread }) => unread.length !== rows[0]?.unread.length)) {
    throw stageError('teachers answer about other words of the same texts; expected the same maxLength of all of them');
  }
  const said = { answer, rows, weights: wholeWeights(weights, teachers.length) };
  const mixed = way.mix(said, way.validates ? validated(teachers, dataset) : undefined);
  const folder = await ctx.output('teacher-outputs', 'teacher-outputs');
  await writeTeacherOutputs(folder, { ...first, rows: mixedRows(said, mixed) });
  return { texts: ids.length, by, ...mixed.found };
};
