import { answerQuestions } from '../../data/thread.ts';
import { refusal, userErrors } from '../../ground/errors.ts';

let closed = 0;

/** What a thread of tests can do. */
const verbs = {
  double: async (numbers: Float32Array) => numbers.map((x) => 2 * x),
  refuse: async (message: string): Promise<void> => {
    throw userErrors('data')(message, { code: 'wrong-row', facts: { row: 7 } });
  },
  fail: async (code: string | undefined): Promise<void> => {
    throw Object.assign(refusal('it failed'), code === undefined ? {} : { code });
  },
  wait: (_: undefined) => new Promise<void>(() => undefined),
  spin: async (_: undefined): Promise<void> => {
    for (;;);
  },
  leave: async (_: undefined): Promise<void> => process.exit(3),
  close: async (_: undefined) => ++closed,
};

export type TestVerbs = typeof verbs;

answerQuestions(verbs);
