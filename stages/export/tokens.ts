import type { TokenizerJson } from '../../data/tokenizer.ts';
import { modelTask } from '../../ground/tasks.ts';
import { givesTypes } from '../../models/importers/folder/frames.ts';
import { type ModelInfo, tokensIn } from '../../models/model.ts';
import { type InputRole, inputOf } from '../../models/signature.ts';
import { pairTokenizerOf, tokenizerClasses } from './families.ts';
import { settingsFor } from './remade.ts';
import { isAdded, tokenText } from './tokenizer.ts';

type SpecialTokens = Readonly<Record<string, string>>;

/** What Hugging Face's own tokenizers call the tokens of a role; the first that a tokenizer has is taken. */
const usualNames: Readonly<Record<string, readonly string[]>> = {
  cls_token: ['[CLS]'],
  sep_token: ['[SEP]'],
  mask_token: ['[MASK]', '<mask>'],
};

const roles = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/** A token is written as its text, or as a record with its text among other things. */
const contentOf = (token: unknown): string | undefined => {
  const content = typeof token === 'object' && token !== null && 'content' in token ? token.content : token;
  return typeof content === 'string' ? content : undefined;
};

const usualTokens = (tokenizer: TokenizerJson): SpecialTokens =>
  Object.fromEntries(
    Object.entries(usualNames).flatMap(([role, names]) => {
      const found = names.find((name) => isAdded(tokenizer, name));
      return found === undefined ? [] : [[role, found]];
    }),
  );

/** Those that the checkpoint names and the tokenizer still has: a vocabulary may have been cut since. */
const checkpointTokens = ({ tokenizerConfig = {} }: ModelInfo, tokenizer: TokenizerJson): SpecialTokens =>
  Object.fromEntries(
    roles.flatMap((role) => {
      const text = contentOf(tokenizerConfig[role]);
      return text === undefined || !isAdded(tokenizer, text) ? [] : [[role, text]];
    }),
  );

const textOf = (tokenizer: TokenizerJson, role: string, id: number): SpecialTokens => {
  const text = tokenText(tokenizer, id);
  return text === undefined ? {} : { [role]: text };
};

/**
 * The unknown token, where texts are searched for it or a client learns of it nowhere else: any other that is named as special,
 * Python would search texts for.
 */
const unknownToken = (info: ModelInfo, tokenizer: TokenizerJson): SpecialTokens => {
  const token = textOf(tokenizer, 'unk_token', tokensIn(info.processor).unknown);
  const listed = Object.values(token).every((text) => isAdded(tokenizer, text));
  return listed || Object(tokenizer.model).type === 'WordLevel' ? token : {};
};

/** Special tokens by role. Batches are padded with the very id that decant pads with, whatever the checkpoint says. */
export const specialTokens = (info: ModelInfo, tokenizer: TokenizerJson): SpecialTokens => ({
  ...textOf(tokenizer, 'pad_token', tokensIn(info.processor).padding),
  ...unknownToken(info, tokenizer),
  ...usualTokens(tokenizer),
  ...checkpointTokens(info, tokenizer),
  ...textOf(tokenizer, 'pad_token', tokensIn(info.processor).padding),
});

/** A class of tokenizers that clients know, and the settings with which it makes this very tokenizer. */
interface ClientTokenizer {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** It takes tokenizer.json as it is, and tells transformers.js nothing of types. */
const generic: ClientTokenizer = { name: 'PreTrainedTokenizerFast', settings: {} };

/** Whether the model reads types, and the tokenizer gives a pair two of them. */
const needsTypes = ({ signature }: ModelInfo, { post_processor }: TokenizerJson): boolean =>
  inputOf(signature, 'segments') !== undefined && givesTypes(post_processor);

/**
 * The checkpoint's own class, or the one that transformers.js needs to tell the texts of a pair apart, where Python makes the
 * same tokenizer with it: other classes of transformers would make their own of the vocabulary.
 */
const clientTokenizer = (info: ModelInfo, tokenizer: TokenizerJson): ClientTokenizer => {
  const given = info.tokenizerConfig?.tokenizer_class;
  const typed = needsTypes(info, tokenizer);
  const names = [...(typeof given === 'string' ? [given] : []), ...(typed ? [pairTokenizerOf(info.modelType)] : [])];
  const roleTokens = specialTokens(info, tokenizer);
  for (const name of names) {
    const client = tokenizerClasses[name.replace(/Fast$/, '')];
    if (client === undefined || (typed && !client.types)) continue;
    const settings = settingsFor(name, tokenizer, roleTokens, inputOf(info.signature, 'segments') !== undefined);
    if (settings !== undefined) return { name, settings };
  }
  return generic;
};

/** Whether transformers.js has to be asked for the types of a pair, since no class of its own fits the tokenizer. */
export const asksForTypes = (info: ModelInfo, tokenizer: TokenizerJson): boolean =>
  needsTypes(info, tokenizer) && clientTokenizer(info, tokenizer) === generic;

/** What a tokenizer gives of a text; the rest is the client's own to count. */
const fromTexts: ReadonlySet<InputRole> = new Set(['tokens', 'mask', 'segments']);

/** tokenizer_config.json. Texts are cut and padded at the end, as decant does, to the length that positions allow. */
export const tokenizerConfigJson = (info: ModelInfo, tokenizer: TokenizerJson): Record<string, unknown> => {
  const { name, settings } = clientTokenizer(info, tokenizer);
  return {
    tokenizer_class: name,
    model_max_length: info.maxLength,
    model_input_names: info.signature.inputs.flatMap(({ name, role }) => (fromTexts.has(role) ? [name] : [])),
    // A text is written on behind its last token.
    padding_side: modelTask(info.task).reads === 'before' ? 'left' : 'right',
    truncation_side: 'right',
    clean_up_tokenization_spaces: info.tokenizerConfig?.clean_up_tokenization_spaces ?? false,
    ...settings,
    ...specialTokens(info, tokenizer),
  };
};
