import { z } from 'zod';
import { updateStream } from '../update-stream.ts';
import { type Beside, defineAugmentation, wantsItsTokens } from './augmentation.ts';
import type { Rewordings } from './rewordings.ts';
import { eachText } from './texts.ts';

/** An answer about a word is about that word. */
const wholeTextsAlone = ({ task }: Beside): string | undefined =>
  task.about === 'text'
    ? undefined
    : `words puts others in place of those that data for ${task.name} has answers about: take tokens or spans`;

/** One of the other words of a word, by a number in [0, 1). */
const drawn = ({ others, tokens, chances }: Rewordings, word: number, draw: number): number => {
  const end = others[word + 1] as number;
  let left = draw;
  let at = others[word] as number;
  for (; at < end - 1; at++) {
    left -= chances[at] as number;
    if (left < 0) break;
  }
  return tokens[at] as number;
};

/**
 * Words become others that a masked language model thinks likely in their place, drawn by its probabilities among the best `top`
 * (Kobayashi 2018, arXiv 1805.06201; Jiao et al. 2019, TinyBERT, arXiv 1909.10351). What it guesses is computed once, ahead.
 */
export const words = defineAugmentation({
  uses: 'words',
  summary: 'words become others that a masked language model guesses in their place',
  rewords: true,
  options: {
    model: z.string().describe('id of a stage with a masked language model that reads the same tokens'),
    share: z.number().gt(0).max(0.95).default(0.15).describe('share of the words that become others'),
    top: z.int().min(1).max(20).default(10).describe('how many of its guesses are drawn from'),
  },
  problem: (beside) => wantsItsTokens(beside) ?? wholeTextsAlone(beside),
  make: ({ share }, { seed, rewordings }) => {
    if (rewordings === undefined) throw new Error('words needs what a masked language model guesses');
    const { starts, places, was } = rewordings;
    return {
      feed: (fed) =>
        eachText(fed, (tokens, row) => {
          const random = updateStream(seed, 'words', fed.step, row);
          for (let word = starts[row] as number; word < (starts[row + 1] as number); word++) {
            const [changes, draw, place] = [random.uniform() < share, random.uniform(), places[word] as number];
            // What another augmentation has changed before stays so.
            if (changes && tokens[place] === was[word]) tokens[place] = drawn(rewordings, word, draw);
          }
        }),
    };
  },
});
