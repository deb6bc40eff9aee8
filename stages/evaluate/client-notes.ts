import { writing } from '../../ground/metrics/written.ts';
import type { ClientFigures } from '../../ground/reported/evaluation.ts';
import { datasetTasks, dataTask, type TaskName } from '../../ground/tasks.ts';
import type { ModelInfo } from '../../models/model.ts';
import { testTexts } from './cut.ts';

/** What of tokenizer.json a client passes over, in one sentence. */
export const clientSettingsNote = (settings: readonly string[]): string =>
  `transformers.js does not carry out these settings of tokenizer.json: ${settings.join('; ')}`;

const listed = (tokens: readonly string[]): string => (tokens.length === 0 ? 'nothing' : tokens.join(' '));

/** What is lost or won there, in the metric of the task. */
const changeIn = (task: TaskName, change: number | null): string => {
  const data = datasetTasks.find((name) => name === task);
  if (change === null || data === undefined) return '';
  const { metric, words } = dataTask(data);
  const { writeChange } = writing(metric.scale);
  const told = change === 0 ? 'the same' : `${writeChange(change)}${metric.scale.changeUnit}`;
  return `; ${words.metric ?? metric.words} there: ${told}`;
};

/** What transformers.js makes of the test texts where it is something else, in one sentence. */
export const inClientNote = (
  { differing, cut, texts, scoreChange, first }: ClientFigures,
  { maxLength, task }: Pick<ModelInfo, 'maxLength' | 'task'>,
): string => {
  const why =
    cut === 0
      ? ''
      : ` (${cut} of them only by their length: it cuts at ${maxLength} tokens, special ones counted, and loses the closing one)`;
  const example =
    first === null
      ? ''
      : `; the first, ${JSON.stringify(first.text)}: ${listed(first.client)} instead of ${listed(first.tokens)}`;
  return `transformers.js reads ${differing} of ${texts} ${testTexts({ task })} as other tokens${why}${example}${changeIn(task, scoreChange)}`;
};
