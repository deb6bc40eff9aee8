import type { Rows } from '../../../data/rows.ts';
import { predict } from '../../../engine/predict.ts';
import { taskOf } from '../../../engine/tasks/index.ts';
import type { TrainRequest } from '../../../engine/train-request.ts';
import type { InputArtifact } from '../../../ground/artifact.ts';
import { stageError } from '../../../ground/errors.ts';
import { dataTask } from '../../../ground/tasks.ts';
import { answersFor, readTeacherOutputs, type TeacherOutputs } from '../../label/outputs.ts';
import { encodeExamples } from '../../train/examples.ts';
import type { TrainingContext } from '../../train/run.ts';
import type { DistillationJob } from '../run.ts';
import { selectionOf } from './index.ts';
import { noAnswers, saidName, takenOf } from './option.ts';
import type { Candidates } from './selection.ts';

/** What each of several teachers said, where that comes in. */
export const saidBy = async (
  inputs: Readonly<Record<string, InputArtifact | undefined>>,
): Promise<readonly TeacherOutputs[]> => {
  const said: TeacherOutputs[] = [];
  for (let k = 0; ; k++) {
    const input = inputs[saidName(k)];
    if (input === undefined) return said;
    said.push(await readTeacherOutputs(input.path));
  }
};

/** Where the answers about texts begin among those for them. */
const startsFor = ({ ids, starts }: TeacherOutputs, wanted: readonly number[]): Int32Array => {
  const texts = new Map(Array.from(ids, (id, text) => [id, text]));
  const found = new Int32Array(wanted.length + 1);
  wanted.forEach((id, i) => {
    const text = texts.get(id) ?? 0;
    found[i + 1] = (found[i] ?? 0) + (starts[text + 1] ?? 0) - (starts[text] ?? 0);
  });
  return found;
};

const expectOutputs = ({ teacher }: Pick<DistillationJob, 'teacher'>): TeacherOutputs => {
  if (teacher === undefined)
    throw stageError('a teacher that answers in every step has said nothing before: expected by: random');
  return teacher;
};

const studentAnswers = async ({ model, dataset, teacher }: DistillationJob, ctx: TrainingContext): Promise<Rows> => {
  if (model.info.task !== dataset.task) throw stageError(noAnswers);
  const task = taskOf(dataset.task);
  const { encoded, called } = await encodeExamples(
    'training',
    dataset.unlabelled,
    { model, task, dataset },
    ctx.signal,
  );
  const { rows } = await predict({
    ...{ model, task, examples: encoded, threads: ctx.threads, engine: await ctx.engine(), batching: 'length' },
    ...{ keep: 'largest', signal: ctx.signal, ...(called === undefined ? {} : { called }) },
    onProgress: (done, total) => ctx.progress({ done, total, unit: 'texts', phase: 'select' }),
  });
  const { width } = expectOutputs({ teacher }).rows;
  if (rows.width === width) return rows;
  throw stageError(
    `the student gives ${rows.width} numbers a text and the teacher ${width}, which cannot be compared: expected by: random`,
  );
};

/** Texts without labels as a way to choose looks at them. */
const candidatesIn = (job: DistillationJob, ctx: TrainingContext): Candidates => {
  const { dataset, said = [] } = job;
  const ids = dataset.unlabelled.map(({ id }) => id);
  return {
    ...{ count: ids.length, seed: ctx.seed, answer: dataTask(dataset.task).answer },
    starts: () => startsFor(expectOutputs(job), ids),
    teacher: () => answersFor(expectOutputs(job), ids),
    teachers: () => said.map((one) => answersFor(one, ids)),
    student: () => studentAnswers(job, ctx),
  };
};

/** The job with those of its texts without labels that its options choose, and how many these are. */
export const selected = async (
  job: DistillationJob,
  ctx: TrainingContext,
): Promise<{ readonly job: DistillationJob } & Pick<TrainRequest, 'prepared'>> => {
  const { dataset, config } = job;
  const { select } = config;
  if (select === undefined) return { job };
  const { unlabelled } = dataset;
  if (unlabelled.length === 0) {
    throw stageError('select chooses among texts without labels, and the data has none: leave it out');
  }
  const { name, scores } = selectionOf(select.by);
  const all = await scores(candidatesIn(job, ctx));
  const order = unlabelled.map((_, i) => i).sort((a, b) => (all[b] ?? 0) - (all[a] ?? 0) || a - b);
  const count = takenOf(select, unlabelled.length);
  const taken = new Set(order.slice(0, count));
  return {
    job: { ...job, dataset: { ...dataset, unlabelled: unlabelled.filter((_, i) => taken.has(i)) } },
    prepared: { selected: { texts: count, of: unlabelled.length, by: name } },
  };
};
