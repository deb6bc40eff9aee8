import { idTargets, targetOf } from '../../data/answer-targets.ts';
import { tagsOf } from '../../data/dataset.ts';
import { largestOf } from '../../data/rows.ts';
import { placedWords, spacedWords } from '../../data/words.ts';
import { withEntities } from '../../ground/metrics/entities.ts';
import { withTokenHead } from '../../models/head.ts';
import { continuations, type Loss, type LossSettings } from '../losses/index.ts';
import { words } from '../read.ts';
import { choosing, classesOf } from './classification.ts';
import type { Task } from './task.ts';

/** One class a word, said at the word's first token; other tokens say nothing and have no loss. */
export const tokenClassification: Task = {
  ...choosing,
  name: 'token-classification',
  encode: words,
  words: spacedWords,
  targets: (examples, encoded) => {
    const tags = examples.map(tagsOf);
    return idTargets(encoded.flatMap(({ places = [] }, i) => Array.from(places, (_, word) => tags[i]?.[word] ?? -1)));
  },
  fit: withTokenHead,
  // Of a word beyond the longest sequence nothing is made up.
  tell: (logits, labels) => {
    const [best] = logits === undefined ? [] : classesOf(logits, labels);
    const { label, probability } = best ?? { label: null, probability: null };
    return { json: { label, probability }, lines: [[label ?? '']] };
  },
};

/** Tokens within words are taught, too, as far as the names of the classes say what goes on with them. */
const within = (settings: LossSettings): readonly Loss[] =>
  settings.classes === undefined ? [] : [continuations(settings)];

/** A tag a word that says which entity it is of; answers are judged by the entities that they mark together. */
export const namedEntities: Task = {
  ...tokenClassification,
  name: 'named-entities',
  words: placedWords,
  fit: (model, classes) => withTokenHead(model, classes, 'named-entities'),
  // A teacher teaches them where there is one.
  targetLosses: (settings) => [...choosing.targetLosses(settings), ...(settings.hard === 1 ? within(settings) : [])],
  imitation: (settings) => [...choosing.imitation(settings), ...(settings.hard === 1 ? [] : within(settings))],
  judge: (logits, examples, answer) => ({
    ...choosing.judge(logits, examples, answer),
    columns: { chosen: [largestOf(logits)], label: [targetOf(examples.targets, answer)] },
  }),
  together: withEntities,
};
