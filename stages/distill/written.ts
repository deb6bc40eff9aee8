import { z } from 'zod';
import { defaultEngine } from '../../engine/engines/index.ts';
import { scheduled } from '../../engine/losses/scheduled.ts';
import { type DatasetTask, modelTask } from '../../ground/tasks.ts';
import type { Foreboding, Outlook } from '../expected.ts';
import type { Wiring } from '../stage.ts';
import type { Taught } from './teachers.ts';

const wantsShare = 'a share above 0 and up to 1, or a schedule { from, to, until }';

/** Texts that the student writes while it is taught. */
export const writtenOption = z
  .strictObject({
    share: scheduled(z.number().min(0).max(1)).describe(`in how many of the updates: ${wantsShare}`),
    prompt: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(16)
      .describe('tokens of each text that stay; where a text has a prompt and an answer, all of the prompt'),
    temperature: z.number().min(0.1).max(10).default(1).describe('of what it draws its tokens by'),
  })
  .describe('teaches on texts that the student itself goes on with, in a part of the updates: { share: 0.5 }');

type Writing = Taught & { readonly written?: z.output<typeof writtenOption> | undefined };

/** What is wrong with texts of the student, whatever the models are. */
export const expectWritable = (
  { written, label }: Writing,
  task: DatasetTask | undefined,
  wiring: Wiring,
  path: readonly string[],
): void => {
  if (written === undefined || task === undefined) return;
  if (modelTask(task).reads !== 'before') {
    const message = `a student writes texts where each token is asked for by those before it, and the data is for ${task}; leave written out`;
    wiring.problem([...path, 'written'], message);
  } else if (label !== undefined) {
    const message =
      'what a teacher said before is about the texts of the data, and not about those that the student writes; leave label out';
    wiring.problem([...path, 'label'], message);
  }
};

/** Weights that live on a device write nothing, and nothing is written of texts that stay as they are. */
export const unwritable = (
  { written }: Writing,
  { engine, data }: Pick<Outlook, 'engine' | 'data'>,
): readonly Foreboding[] => {
  if (written === undefined) return [];
  const problems: Foreboding[] = [];
  if (data !== undefined && written.prompt >= data.maxLength) {
    const message = `${written.prompt} tokens of texts would stay that are read ${data.maxLength} at a time: nothing would be written; expected fewer`;
    problems.push({ path: ['written', 'prompt'], message });
  }
  if (engine === undefined || (engine !== 'chosen' && engine.name === defaultEngine)) return problems;
  const found = engine === 'chosen' ? 'chosen by trying' : `"${engine.name}"`;
  const message = `the student writes on the CPU, and the engine is ${found}; leave written out, or write engine: ${defaultEngine}`;
  return [...problems, { path: ['written'], message }];
};
