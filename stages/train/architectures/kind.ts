import { z } from 'zod';
import type { Dataset } from '../../../data/dataset.ts';
import type { Model } from '../../../models/model.ts';
import type { Expected } from '../../expected.ts';

export const width = z.int().min(1).max(16_384);

interface Headed {
  readonly hidden: number;
  readonly heads: number;
}

/** Heads that do not share the width evenly. */
export const expectHeads = ({ hidden, heads }: Headed, ctx: z.core.$RefinementCtx): void => {
  if (hidden % heads === 0) return;
  const message = `expected heads that divide hidden, which is ${hidden}; found ${heads}`;
  ctx.addIssue({ code: 'custom', message, path: ['heads'] });
};

/** A shape that starts from random weights, with a tokenizer that is trained on the training texts. */
export interface ArchitectureKind<S extends z.ZodType> {
  /** As YAML calls it. */
  readonly uses: string;
  readonly schema: S;
  /** What is known of such a model before anything is drawn: its vocabulary may come out smaller. */
  expected(shape: z.output<S>, maxLength: number | undefined): Expected;
  /** The same tokenizer on as little as can be. */
  smallest(shape: z.output<S>): z.output<S>;
  make(shape: z.output<S>, dataset: Dataset, seed: number): Promise<Model>;
}
