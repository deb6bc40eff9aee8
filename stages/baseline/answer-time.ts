import type { Example } from '../../data/dataset.ts';
import { spaced } from '../../data/spaced.ts';
import { waitingClock } from '../../engine/processor.ts';
import { middle } from '../../ground/middle.ts';
import type { BaselineMetrics } from '../../ground/reported/data.ts';
import { warmUp } from '../measure/warm-up.ts';

/** Texts that take turns: their median is that of the split. */
const MOST_TEXTS = 200;

/** After the warm-up: as often as this, or for as long. */
const MOST_ANSWERS = 10_000;
const MOST_MS = 250;

const DIGITS = 1e5;
const rounded = (x: number): number => Math.round(x * DIGITS) / DIGITS;

/**
 * The median time from a text to its answer, one text after the other in this process, after a warm-up. A model's latency
 * begins with tokens and is measured beside the other models': the two stand in one table, but no ratio is told of them.
 */
export const answerTime = async (
  test: readonly Example[],
  answer: (example: Example) => unknown,
): Promise<Pick<BaselineMetrics[string], 'msPerText' | 'waited'>> => {
  const texts = spaced(test, test.length, MOST_TEXTS);
  if (texts.length === 0) return {};
  let next = 0;
  const timed = (): number => {
    const text = texts[next++ % texts.length] as Example;
    const start = performance.now();
    answer(text);
    return performance.now() - start;
  };
  await warmUp(async () => timed());
  const waited = waitingClock();
  const end = performance.now() + MOST_MS;
  const ms: number[] = [];
  do ms.push(timed());
  while (ms.length < MOST_ANSWERS && performance.now() < end);
  return { msPerText: rounded(middle(ms)), waited: rounded(waited()) };
};
