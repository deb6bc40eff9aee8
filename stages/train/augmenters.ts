import { isDeepStrictEqual } from 'node:util';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { tokenTranslation } from '../../data/tokenizers/translate.ts';
import type { Augmenter, Material } from '../../engine/augment/augmentation.ts';
import { augmentationOf } from '../../engine/augment/index.ts';
import type { Rewordings } from '../../engine/augment/rewordings.ts';
import type { Loss } from '../../engine/losses/index.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import { tapsOf } from '../../models/anatomy/taps.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { readsTexts } from '../../models/signature.ts';
import { specialIds } from '../../models/special-tokens.ts';
import { readRewordings, rewordingsFor } from '../reword/table.ts';
import { type Augmenting, augmentProblems, otherTokens } from './augment.ts';

/** Ids of a reader's tokens by those of the guesser. */
const idsFor = async (reader: Model, guesser: TokenizerJson): Promise<(token: number) => number | undefined> => {
  if (isDeepStrictEqual(reader.tokenizer, guesser)) return (token) => token;
  const theirs = await tokenTranslation(tokenizerIn(reader), guesser);
  if (theirs === undefined) {
    throw stageError(otherTokens);
  }
  const own = new Map(Array.from(theirs, (token, id) => [token, id]));
  return (token) => own.get(token);
};

/** What augmentations are given besides the options. */
export interface Augmentable {
  /** Ids of the texts, in their order. */
  readonly ids: readonly number[];
  readonly rewordings?: InputArtifact | undefined;
}

const wordsFor = async (model: Model, { ids, rewordings }: Augmentable): Promise<Rewordings | undefined> => {
  if (rewordings === undefined) return undefined;
  const table = await readRewordings(rewordings.path);
  return rewordingsFor(table, ids, await idsFor(model, table.tokenizer));
};

const embeddingsOf = (model: Model) => {
  const { embeddings } = tapsOf(model);
  if (embeddings === undefined) {
    throw stageError('mix-up mixes what the first layer reads, and no layers were found in the model: leave it out');
  }
  return embeddings;
};

/** The training with what its options make of the texts. */
export const augmented = async (
  request: TrainRequest,
  config: Augmenting,
  given: Augmentable,
): Promise<TrainRequest> => {
  const { augment = [] } = config;
  const { model, task, phases, seed } = request;
  const [problem] = augmentProblems(config, task.name);
  if (problem !== undefined) throw stageError(problem.message);
  if (augment.length === 0) return request;
  const material: Material = {
    ...{
      seed,
      special: readsTexts(model.info.signature) ? specialIds(model) : new Set(),
      rewordings: await wordsFor(model, given),
    },
    embeddings: () => embeddingsOf(model),
  };
  const augmenters = augment.map((entry): Augmenter => augmentationOf(entry.uses).make(entry, material));
  const made = (loss: Loss): Loss => augmenters.reduce((learnt, one) => one.loss?.(learnt) ?? learnt, loss);
  return { ...request, augmenters, phases: phases.map(({ losses, until }) => ({ losses: losses.map(made), until })) };
};
