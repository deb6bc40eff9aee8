import type { TokenizerJson } from '../../../data/tokenizer.ts';
import { isUserError, refusal, reworded } from '../../../ground/errors.ts';
import { importError } from '../importer.ts';
import type { FolderTokenizer } from './tokenizer.ts';

const LONGEST = 512;

/** The models that the library computes; of any other kind it would guess one. */
const kinds: readonly unknown[] = ['BPE', 'Unigram', 'WordLevel', 'WordPiece', undefined];

const kindOf = ({ model }: TokenizerJson): unknown =>
  typeof model === 'object' && model !== null && 'type' in model ? model.type : undefined;

type Loaded = Pick<FolderTokenizer, 'json' | 'encoder'>;

/** How many tokens an empty text becomes: the special ones around it. */
const specialTokens = async ({ json, encoder }: Loaded, vocabulary: number): Promise<number> => {
  try {
    if (!kinds.includes(kindOf(json))) throw refusal(`its model is of the kind ${JSON.stringify(kindOf(json))}`);
    if (encoder.size === 0) throw refusal('its vocabulary is empty');
    const [text, nothing] = await encoder.encodeBatch(['A text of some words.', ''], LONGEST);
    if (text?.ids.some((id) => !(id >= 0 && id < vocabulary)))
      throw refusal('a text has tokens that are not in its vocabulary');
    return nothing?.ids.length ?? 0;
  } catch (cause) {
    const said = isUserError(cause, 'data');
    throw reworded(cause, (reason) =>
      importError(said ? reason : `tokenizer.json cannot encode a text: ${reason}`, { cause }),
    );
  }
};

/** Encodes a text once, so that a tokenizer that cannot is refused here and not in the middle of a run. */
export const tryTokenizer = async (tokenizer: Loaded, vocabulary: number, maxLength: number): Promise<void> => {
  const special = await specialTokens(tokenizer, vocabulary);
  if (maxLength > special) return;
  throw importError(
    `the model reads at most ${maxLength} tokens by its configuration, and special tokens take ${special}: no text fits`,
  );
};
