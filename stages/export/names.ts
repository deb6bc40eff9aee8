import type { ModelInfo } from '../../models/model.ts';
import { answerPort, type InputRole, type OutputRole, readsTexts } from '../../models/signature.ts';

/** Names by which Hugging Face's clients feed a model and read it. */
const clientInputs: Readonly<Partial<Record<InputRole, string>>> = {
  ...{ tokens: 'input_ids', mask: 'attention_mask', segments: 'token_type_ids' },
  ...{ positions: 'position_ids', last: 'num_logits_to_keep', pixels: 'pixel_values' },
  written: 'decoder_input_ids',
};
const clientOutputs: Readonly<Record<OutputRole, string>> = { hidden: 'last_hidden_state', scores: 'logits' };

/** A name of a graph that clients do not know, and what they call it; undefined where they have no such thing. */
export interface OwnName {
  readonly name: string;
  readonly role: string;
  readonly client: string | undefined;
}

/**
 * Inputs and the output of a graph of another maker that go by names of their own: whoever feeds it by these goes on doing so,
 * and clients of Hugging Face cannot.
 */
export const ownNames = ({ signature }: Pick<ModelInfo, 'signature'>): readonly OwnName[] => {
  const answer = answerPort(signature);
  return [
    ...signature.inputs.map(({ name, role }) => ({ name, role, client: clientInputs[role] })),
    { name: answer.name, role: answer.role, client: clientOutputs[answer.role] },
  ].filter(({ name, client }) => name !== client);
};

/** What the tokenizers library of Python calls what an input takes. */
const inPython: Readonly<Record<InputRole, string>> = {
  tokens: 'text.ids',
  mask: 'text.attention_mask',
  segments: 'text.type_ids',
  positions: 'list(range(len(text.ids)))',
  places: '[]',
  last: '0',
  ...{ written: '[]', queries: '[]', keys: '[]' },
  pixels: 'pixels',
};

const usualFeeds = ['tokens', 'mask', 'segments'] as const;

/** The inputs of a text as a dictionary of Python: all that any model takes by usual names, or those of this one by its own. */
export const pythonFeeds = (info: Pick<ModelInfo, 'signature'>): string => {
  const texts = readsTexts(info.signature);
  const ports =
    texts && ownNames(info).length === 0
      ? usualFeeds.map((role) => ({ name: clientInputs[role] ?? role, role }))
      : info.signature.inputs;
  return `{${ports.map(({ name, role }) => `${JSON.stringify(name)}: ${inPython[role]}`).join(', ')}}`;
};
