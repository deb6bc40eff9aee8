import { type Dataset, type Example, tagsOf } from '../../data/dataset.ts';
import { withEntities } from '../../ground/metrics/entities.ts';
import { figureOf, type Judged } from '../../ground/metrics/metric.ts';
import { dataTask } from '../../ground/tasks.ts';

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

/** What is said of every word of some texts, beside what is true. */
const judgedBy = (test: readonly Example[], say: (word: string) => number): Judged => {
  const columns = { right: [] as number[], chosen: [] as number[], label: [] as number[] };
  const groups: number[] = [];
  test.forEach((example, text) => {
    eachWord([example], (word, tag) => {
      const said = say(word);
      columns.right.push(Number(said === tag));
      columns.chosen.push(said);
      columns.label.push(tag);
      groups.push(text);
    });
  });
  return { count: groups.length, columns, groups: Int32Array.from(groups) };
};

/**
 * Tags every test word with the most frequent class of all, and with the most frequent class that the word itself had in
 * training (that of all where it never occurred): what a tagger must beat by reading the words around.
 */
export const tagWords = ({ task, classes, train, test }: Dataset) => {
  const { words, all } = learn(train);
  const majority = all.most;
  const best = new Map([...words].map(([word, counts]) => [word, counts.most]));
  const { metric, truth } = dataTask(task);
  const scoreOf = (say: (word: string) => number): number | null => {
    const judged = judgedBy(test, say);
    const score =
      judged.count === 0 ? 0 : figureOf(metric, truth === 'entities' ? withEntities(judged, classes) : judged);
    return Number.isFinite(score) ? score : null;
  };
  return {
    majority: { score: scoreOf(() => majority), called: 'majority class' },
    lexicon: {
      score: scoreOf((word) => best.get(word) ?? majority),
      called: 'most frequent class of each word',
      words: words.size,
    },
  };
};
