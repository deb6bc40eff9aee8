import { answerOnce } from '../../data/process.ts';
import { openEngine } from '../../engine/engines/index.ts';
import { trial } from '../../engine/trial.ts';
import { noCheckpoints } from '../../ground/checkpoints.ts';
import { messageOf } from '../../ground/errors.ts';
import { stages } from '../index.ts';
import type { StageContext } from '../stage.ts';
import type { Outcome } from './decide.ts';
import { opened, type Question } from './question.ts';

/** The process that tries one engine: what its driver does to a process ends this one alone. */
const abort = new AbortController();

const context = ({ engine, seed, threads, base, offline, memory }: Question): StageContext => ({
  engine: () => openEngine(engine),
  ...{ seed, threads, base, offline },
  signal: abort.signal,
  // What far exceeds it is refused; whoever runs the step watches the rest.
  ...(memory === undefined ? {} : { memory: { ...memory, foresee: () => undefined } }),
  checkpoints: noCheckpoints,
  progress: () => undefined,
  log: () => undefined,
  output: () => Promise.reject(new Error('a trial writes nothing')),
});

const tried = async (question: Question): Promise<Outcome> => {
  try {
    const { stage: uses, options, inputs } = question;
    const trains = stages.find((stage) => stage.uses === uses)?.trains;
    if (trains === undefined) throw new Error(`the stage "${uses}" trains nothing`);
    return await trial(await trains.training(opened(inputs), options, context(question)));
  } catch (error) {
    return { problem: messageOf(error) };
  }
};

answerOnce((question: Question): Promise<Outcome> => {
  process.env.RAYON_NUM_THREADS = String(question.threads);
  return tried(question);
});
