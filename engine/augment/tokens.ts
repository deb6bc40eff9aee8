import { z } from 'zod';
import { dropTokens } from '../feeds.ts';
import { updateStream } from '../update-stream.ts';
import { defineAugmentation } from './augmentation.ts';

/** Each token becomes the unknown one with probability `share` (word dropout: Iyyer et al. 2015, ACL P15-1162): tokenDropout. */
export const tokens = defineAugmentation({
  uses: 'tokens',
  summary: 'single tokens become the unknown one, as by tokenDropout',
  options: { share: z.number().gt(0).max(0.95).default(0.1).describe('share of tokens that become the unknown one') },
  problem: () => undefined,
  make: ({ share }, { seed }) => ({
    feed: ({ model, feeds, examples, batch, before, step }) => {
      const random = updateStream(seed, 'token-dropout', step);
      dropTokens(model, { feeds, examples, batch, before }, { rate: share, random });
    },
  }),
});
