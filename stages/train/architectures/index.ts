import { z } from 'zod';
import type { Dataset } from '../../../data/dataset.ts';
import type { Model } from '../../../models/model.ts';
import type { Expected } from '../../expected.ts';
import { encoder } from './encoder.ts';
import type { ArchitectureKind } from './kind.ts';
import { llama } from './llama.ts';
import { t5 } from './t5.ts';
import { vit } from './vit.ts';

/** A shape that starts from random weights. Without `uses` it is an encoder, as it was before there were others. */
export const architecture = z
  .discriminatedUnion('uses', [encoder.schema, llama.schema, t5.schema, vit.schema])
  .describe(
    'shape of a model that starts from random weights, with its own tokenizer where it reads texts; without uses, an encoder of texts',
  );

export type ArchitectureConfig = z.output<typeof architecture>;

/** Everything that is asked of a shape, by whatever kind it is of. */
interface Bound {
  expected(maxLength: number | undefined): Expected;
  smallest(): ArchitectureConfig;
  make(dataset: Dataset, seed: number): Promise<Model>;
}

const bind = <S extends z.ZodType<ArchitectureConfig>>(kind: ArchitectureKind<S>, shape: z.output<S>): Bound => ({
  expected: (maxLength) => kind.expected(shape, maxLength),
  smallest: () => kind.smallest(shape),
  make: (dataset, seed) => kind.make(shape, dataset, seed),
});

/** The shape with what is made of it. */
export const boundShape = (shape: ArchitectureConfig): Bound => {
  if (shape.uses === 'llama') return bind(llama, shape);
  if (shape.uses === 't5') return bind(t5, shape);
  return shape.uses === 'vit' ? bind(vit, shape) : bind(encoder, shape);
};
