import { idTargets, targetOf } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { logSumExp } from '../../data/rows.ts';
import { type TextInput, tokenizerOf } from '../../data/tokenize.ts';
import { modelError } from '../../ground/errors.ts';
import { atPlaces } from '../../models/at-places.ts';
import { withMaskedHead } from '../../models/masked-head.ts';
import { tokenizerIn } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { maskTokenOf } from '../../models/special-tokens.ts';
import { tokensOf } from '../encoded.ts';
import { crossEntropy } from '../losses/index.ts';
import { maskingFor } from '../masking.ts';
import { wholeTexts } from '../read.ts';
import type { Task } from './task.ts';

/** Masks of data that is read once are a matter of its text alone. */
const FIXED = 0;

/** Of a whole vocabulary machines are told the best few. */
const FEWEST_TOLD = 5;

const named = 'fill-mask';

/** What the masks of a text follow from, wherever it stands in whatever data: its words alone. */
const wordsIn = (input: TextInput): string => {
  const { text, pair = '' } = typeof input === 'string' ? { text: input } : input;
  return JSON.stringify([text, pair]);
};

/** The token behind each mask, of a whole vocabulary: learned from other masks at every update, judged by fixed ones. */
export const fillMask: Task = {
  name: named,
  smoothing: 0,
  encode: async (model, texts, maxLength, signal) => {
    const hide = maskingFor(model);
    const encoded = await wholeTexts(model, texts, maxLength, signal);
    return encoded.map((one, i) => hide(one, stream(FIXED, named, wordsIn(texts[i] ?? ''))).encoded);
  },
  ask: async (model, texts) => {
    const mask = maskTokenOf(model);
    const encoded = await wholeTexts(model, texts, model.info.maxLength);
    return encoded.map((one) => ({
      ...one,
      places: Int32Array.from(Array.from(tokensOf(one)).flatMap((id, place) => (id === mask?.id ? [place] : []))),
    }));
  },
  targets: (_, encoded) =>
    idTargets(
      encoded.flatMap(({ places = [], byRole }) => Array.from(places, (place) => byRole.original?.[place] ?? -1)),
    ),
  varying: maskingFor,
  names: (model) => {
    const { size, token } = tokenizerOf(tokenizerIn(model));
    return Array.from({ length: size }, (_, id) => token(id) ?? `${id}`);
  },
  fit: (given) => {
    if (maskTokenOf(given) !== undefined) return withMaskedHead(given, named);
    throw modelError(
      "the model's tokenizer has no mask token ([MASK] or <mask>), so no word can be hidden from it: take an encoder that was trained with one, or an architecture of your own",
    );
  },
  // Eight bits are scaled over all that goes through at once: they are judged as they are shipped, at every place.
  answering: (model) => (isQuantized(model.graph) ? model : atPlaces(model)),
  targetLosses: (settings) => [crossEntropy(settings)],
  imitation: 'kl',
  judge: (logits, { targets }, answer) => {
    const nats = logSumExp(logits) - (logits[targetOf(targets, answer)] ?? 0);
    return { score: nats, loss: nats };
  },
  tell: (logits = new Float32Array(), tokens, _, top = FEWEST_TOLD) => {
    const total = logSumExp(logits);
    const all = Array.from(logits, (logit, id) => ({
      ...{ token: tokens[id] ?? `${id}`, id, probability: Math.exp(logit - total) },
    })).sort((a, b) => b.probability - a.probability);
    return { tokens: all.slice(0, Math.max(top, FEWEST_TOLD)) };
  },
};
