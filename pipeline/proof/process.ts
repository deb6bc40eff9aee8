import { answerOnce } from '../../data/process.ts';
import { openEngine } from '../../engine/engines/index.ts';
import { messageOf } from '../../ground/errors.ts';
import { prove } from './prove.ts';

/** The process that tries one engine: what its driver does to a process ends this one alone. */
const abort = new AbortController();

const tried = async (engine: string): Promise<object> => {
  try {
    return { difference: await prove(await openEngine(engine), abort.signal) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
};

answerOnce(tried);
