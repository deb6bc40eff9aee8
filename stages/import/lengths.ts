import type { TokenizerJson } from '../../data/tokenizer.ts';
import { importModel } from '../../models/importers/index.ts';
import { tokenizerIn } from '../../models/model.ts';
import type { SampledTexts } from '../expected.ts';
import { lengthsIn } from '../train/lengths.ts';
import type { Config } from './index.ts';

/** The checkpoint's own tokenizer. */
export const tokenizerOf = async ({ model, ...options }: Config, base: string): Promise<TokenizerJson> =>
  tokenizerIn(await importModel(model, base, options));

/** Tokens of each text as the checkpoint's own tokenizer cuts it. */
export const lengthsOfImported = async (
  { model, ...options }: Config,
  texts: SampledTexts,
): Promise<readonly number[]> => await lengthsIn(await importModel(model, texts.base, options), texts);
