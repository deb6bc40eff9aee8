import { type Dataset, type Example, tagsOf } from '../../data/dataset.ts';
import { type Predictions, writePredictions } from '../../data/predictions.ts';
import { blankRows, putRow } from '../../data/rows.ts';
import { withEntities } from '../../ground/metrics/entities.ts';
import { figureOf, type Judged } from '../../ground/metrics/metric.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { StageContext } from '../stage.ts';
import { answerTime } from './answer-time.ts';
import { BYTES_A_NUMBER, namedBytes } from './bytes.ts';
import type { Reported } from './index.ts';

/** Counts of the classes that something had. */
class Counts {
  readonly #counts = new Map<number, number>();

  add(tag: number): void {
    this.#counts.set(tag, (this.#counts.get(tag) ?? 0) + 1);
  }

  /** The most frequent class; of equally frequent ones the smallest number. */
  get most(): number {
    let [best, times] = [-1, 0];
    for (const [tag, count] of this.#counts) {
      if (count > times || (count === times && tag < best)) [best, times] = [tag, count];
    }
    return best;
  }

  /** A score of every class: the logarithm of how often it was there, each counted once more (Laplace 1814). */
  logits(classes: number): Float32Array {
    return Float32Array.from({ length: classes }, (_, tag) => Math.log(1 + (this.#counts.get(tag) ?? 0)));
  }
}

const eachWord = (examples: readonly Example[], see: (word: string, tag: number) => void): void => {
  for (const example of examples) {
    const tags = tagsOf(example);
    example.text.split(' ').forEach((word, i) => {
      see(word, tags[i] ?? -1);
    });
  }
};

interface Lexicon {
  readonly words: ReadonlyMap<string, Counts>;
  readonly all: Counts;
}

const learn = (train: readonly Example[]): Lexicon => {
  const words = new Map<string, Counts>();
  const all = new Counts();
  eachWord(train, (word, tag) => {
    const counts = words.get(word) ?? new Counts();
    words.set(word, counts);
    counts.add(tag);
    all.add(tag);
  });
  return { words, all };
};

/** The words of some texts one after the other, what each is, and the text of each. */
interface Words {
  readonly words: readonly string[];
  readonly tags: Int32Array;
  readonly groups: Int32Array;
}

const wordsOf = (examples: readonly Example[]): Words => {
  const words: string[] = [];
  const tags: number[] = [];
  const groups: number[] = [];
  for (const example of examples) {
    eachWord([example], (word, tag) => {
      words.push(word);
      tags.push(tag);
      groups.push(example.id);
    });
  }
  return { words, tags: Int32Array.from(tags), groups: Int32Array.from(groups) };
};

/** What is said of every word, beside what is true. */
const judgedBy = ({ words, tags, groups }: Words, say: (word: string) => number): Judged => {
  const chosen = Int32Array.from(words, say);
  const right = Uint8Array.from(chosen, (said, word) => Number(said === tags[word]));
  return { count: words.length, columns: { right, chosen, label: tags }, groups };
};

const predictionsOf = (
  { words, tags, groups }: Words,
  { words: known, all }: Lexicon,
  classes: number,
): Predictions => {
  const said = new Map([...new Set(words)].map((word) => [word, (known.get(word) ?? all).logits(classes)]));
  const rows = blankRows(words.length, classes);
  words.forEach((word, row) => {
    putRow(rows, row, said.get(word) ?? new Float32Array(classes), tags[row]);
  });
  const ids = Int32Array.from(words, (_, word) => word);
  return { split: 'test', ids, rows, targets: { width: 1, data: tags }, groups };
};

/**
 * Tags every test word with the most frequent class of all, and with the most frequent class that the word itself had in
 * training (that of all where it never occurred): what a tagger must beat by reading the words around.
 */
export const tagWords = async ({ task, classes, train, test }: Dataset, ctx: StageContext): Promise<Reported> => {
  const lexicon = learn(train);
  const tested = wordsOf(test);
  const majority = lexicon.all.most;
  const best = new Map([...lexicon.words].map(([word, counts]) => [word, counts.most]));
  const { metric, truth } = dataTask(task);
  const scoreOf = (say: (word: string) => number): number | null => {
    const judged = judgedBy(tested, say);
    const score =
      judged.count === 0 ? 0 : figureOf(metric, truth === 'entities' ? withEntities(judged, classes) : judged);
    return Number.isFinite(score) ? score : null;
  };
  const tag = (word: string): number => best.get(word) ?? majority;
  const predictions = predictionsOf(tested, lexicon, classes.length);
  await writePredictions(await ctx.output('predictions', 'predictions'), predictions);
  return {
    majority: { score: scoreOf(() => majority), called: 'majority class', always: majority, bytes: BYTES_A_NUMBER },
    lexicon: {
      ...{ score: scoreOf(tag), called: 'most frequent class of each word' },
      ...{ predicted: true, words: lexicon.words.size, bytes: namedBytes(best.keys()) + BYTES_A_NUMBER },
      ...(await answerTime(test, ({ text }) => text.split(' ').map(tag))),
    },
  };
};
