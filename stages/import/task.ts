import { type DatasetTask, modelTask, type TaskName } from '../../ground/tasks.ts';

/** Models that give features, or words, are trained further for whatever data is for. */
const isOpen = (task: TaskName): boolean => {
  const { about, answer } = modelTask(task);
  return answer === 'vector' || about === 'token';
};

/** Whether answers of one task are those of another, which judges them otherwise: tags of words may mark entities. */
export const answersAlike = (one: TaskName, other: TaskName): boolean => {
  const [mine, theirs] = [modelTask(one), modelTask(other)];
  return mine.about === theirs.about && mine.answer === theirs.answer;
};

/** Why a model with a head cannot be one of the data; undefined where it can. */
export const taskProblem = (model: TaskName, data: DatasetTask): string | undefined =>
  answersAlike(model, data) || isOpen(model)
    ? undefined
    : `the checkpoint is made for ${model}, the data for ${data}: 'head: new' takes its encoder alone`;
