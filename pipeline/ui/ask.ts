import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { moduleBeside } from '../../data/process.ts';
import { manyLines } from '../../reports/text.ts';
import { endAll } from '../guard/processes.ts';
import { modelsIn } from './details.ts';
import type { RunPlace } from './places.ts';
import type { Answered, Question } from './shapes.ts';

/** Classes that are shown of an answer. */
const TOP = '5';
const LONGEST_ANSWER = 256 * 1024;

const questionSchema = z.object({
  model: z.string(),
  text: z.string(),
  pair: z.string(),
}) satisfies z.ZodType<Question>;

/** What was asked, where it is a question about one of the models of a run. */
export const questionIn = async (value: unknown, place: RunPlace): Promise<Question | undefined> => {
  const question = questionSchema.safeParse(value).data;
  if (question === undefined || question.text.trim() === '') return undefined;
  const models = await modelsIn(place);
  return models.some(({ id }) => id === question.model) ? question : undefined;
};

/** One line a text: `predict` takes each line as one. */
const lineOf = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** All that a process says, up to where it says too much. */
const saidBy = (child: ChildProcess): { stdout: string; stderr: string } => {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      if (said[name].length < LONGEST_ANSWER) said[name] += text;
    });
  }
  return said;
};

/**
 * Asks a model as `decant predict` does, in a process that is watched by another one: whatever the model does ends these. What
 * is asked goes through standard input, where no other user of the machine sees it.
 */
export const ask = (place: RunPlace, { model, text, pair }: Question, signal: AbortSignal): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const isPair = pair.trim() !== '';
    const args = ['predict', join(place.folder, model), '--top', TOP, ...(isPair ? ['--pairs'] : [])];
    const child = spawn(process.execPath, [moduleBeside(import.meta.url, 'asking'), ...args], {
      env: { ...process.env, NO_COLOR: '1' },
    });
    const said = saidBy(child);
    const stop = (): void => void endAll(child.pid ?? 0);
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', () => {
      signal.removeEventListener('abort', stop);
      resolve({ answer: manyLines(said.stdout.trimEnd()), notes: manyLines(said.stderr.trim()) });
    });
    // It may end before it has read.
    child.stdin.on('error', () => undefined);
    child.stdin.end(isPair ? `${JSON.stringify([lineOf(text), lineOf(pair)])}\n` : `${lineOf(text)}\n`);
  });
