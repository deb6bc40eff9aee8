import { z } from 'zod';
import { tokensIn } from '../../models/model.ts';
import { updateStream } from '../update-stream.ts';
import { defineAugmentation, wantsItsTokens } from './augmentation.ts';
import { eachText } from './texts.ts';

/** SpanBERT's mean. */
const LENGTH = 3.8;

/**
 * Spans of tokens become unknown, their lengths geometric with a mean of 3.8, as SpanBERT's are (Joshi et al. 2020, arXiv 1907.10529),
 * which clips them at 10. Whether a token is hidden follows from the token before alone: a span goes on with probability
 * 1 - 1 / length, and one begins with share / (length (1 - share)), so that the share is the same at every place of any text.
 */
export const spans = defineAugmentation({
  uses: 'spans',
  summary: 'spans of tokens become the unknown one, a few tokens each',
  options: {
    share: z.number().gt(0).max(0.5).default(0.1).describe('share of tokens in spans that become unknown'),
    length: z.number().min(1).max(50).default(LENGTH).describe('mean length of a span, in tokens'),
  },
  problem: wantsItsTokens,
  make: ({ share, length }, { seed, special }) => {
    const [begins, goesOn] = [share / (length * (1 - share)), 1 - 1 / length];
    return {
      feed: (fed) => {
        const { unknown } = tokensIn(fed.model.processor);
        eachText(fed, (tokens, row) => {
          const random = updateStream(seed, 'spans', fed.step, row);
          let inside = random.uniform() < share;
          for (let at = 0; at < tokens.length; at++) {
            if (inside && !special.has(tokens[at] as number)) tokens[at] = unknown;
            inside = random.uniform() < (inside ? goesOn : begins);
          }
        });
      },
    };
  },
});
