import type { ModelInfo } from '../../models/model.ts';
import type { ClientFigures } from './client.ts';
import { testTexts } from './cut.ts';

/** What of tokenizer.json a client passes over, in one sentence. */
export const clientSettingsNote = (settings: readonly string[]): string =>
  `transformers.js does not carry out these settings of tokenizer.json: ${settings.join('; ')}`;

const listed = (tokens: readonly string[]): string => (tokens.length === 0 ? 'nothing' : tokens.join(' '));

const changeOf = (rate: number): string =>
  rate === 0 ? 'the same' : `${rate > 0 ? '+' : ''}${(100 * rate).toFixed(1)} points`;

/** What transformers.js makes of the test texts where it is something else, in one sentence. */
export const inClientNote = (
  { differing, cut, texts, accuracyChange, first }: ClientFigures,
  { maxLength, task }: Pick<ModelInfo, 'maxLength' | 'task'>,
): string => {
  const why =
    cut === 0
      ? ''
      : ` (${cut} of them only by their length: it cuts at ${maxLength} tokens, special ones counted, and loses the closing one)`;
  const example =
    first === null
      ? ''
      : `; the first, ${JSON.stringify(first.text)}: ${listed(first.client)} instead of ${listed(first.tokens)}`;
  const accuracy = accuracyChange === null ? '' : `; accuracy there: ${changeOf(accuracyChange)}`;
  return `transformers.js reads ${differing} of ${texts} ${testTexts({ task })} as other tokens${why}${example}${accuracy}`;
};
