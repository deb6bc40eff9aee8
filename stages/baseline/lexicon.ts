import { type Dataset, type Example, tagsOf } from '../../data/dataset.ts';

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

/**
 * Tags every test word with the most frequent class of all, and with the most frequent class that the word itself had in
 * training (that of all where it never occurred): what a tagger must beat by reading the words around.
 */
export const tagWords = ({ train, test }: Dataset) => {
  const { words, all } = learn(train);
  const majority = all.most;
  const best = new Map([...words].map(([word, counts]) => [word, counts.most]));
  let [count, common, known] = [0, 0, 0];
  eachWord(test, (word, tag) => {
    count++;
    common += Number(tag === majority);
    known += Number(tag === (best.get(word) ?? majority));
  });
  const rate = (right: number): number => right / Math.max(1, count);
  return {
    majority: { score: rate(common), called: 'majority class' },
    lexicon: { score: rate(known), called: 'most frequent class of each word', words: words.size },
  };
};
