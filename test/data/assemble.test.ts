import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dataset, labelOf } from '../../data/dataset.ts';
import { type AssembleOptions, assemble, type Candidate } from '../../data/datasets/assemble.ts';

const options: AssembleOptions = {
  task: 'text-classification',
  maxLength: 16,
  shares: { validation: 0.1, test: 0.1 },
  source: 'texts.csv',
};

const many = (count: number): readonly Candidate[] =>
  Array.from({ length: count }, (_, i) => ({ text: `text number ${i}`, target: `class ${i % 4}` }));

const splits = ['train', 'unlabelled', 'validation', 'test'] as const;

/** Which split each text is in, with its class name. */
const placesOf = (dataset: Dataset): ReadonlyMap<string, string> =>
  new Map(
    splits.flatMap((split) =>
      dataset[split].map(({ text, target }) => [
        text,
        `${split} ${typeof target === 'number' ? dataset.classes[target] : ''}`,
      ]),
    ),
  );

const sizes = ({ train, unlabelled, validation, test }: Dataset): readonly number[] => [
  train.length,
  unlabelled.length,
  validation.length,
  test.length,
];

describe('assembling a dataset', () => {
  it('puts about the asked shares into validation and test', () => {
    const { dataset } = assemble(many(4000), options);
    const [train = 0, unlabelled, validation = 0, test = 0] = sizes(dataset);
    expect(train + validation + test).toBe(4000);
    expect(unlabelled).toBe(0);
    // Four standard deviations of a draw of 4,000 texts at 10 %.
    expect(Math.abs(validation - 400)).toBeLessThan(76);
    expect(Math.abs(test - 400)).toBeLessThan(76);
  });

  it('decides by the text alone: order and additions move nothing', () => {
    const forward = placesOf(assemble(many(600), options).dataset);
    expect(placesOf(assemble(many(600).toReversed(), options).dataset)).toEqual(forward);
    const larger = placesOf(assemble(many(900), options).dataset);
    for (const [text, place] of forward) expect(larger.get(text)).toBe(place);
  });

  it('never has a text twice, whatever files and labels it came with', () => {
    const candidate = fc.record(
      {
        text: fc.integer({ min: 0, max: 60 }).map((i) => `t${i}`),
        target: fc.constantFrom('class 0', 'class 1'),
        split: fc.constantFrom('train', 'validation', 'test', 'unlabelled'),
      },
      { requiredKeys: ['text', 'target'] },
    );
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 80 }), (candidates) => {
        const base = many(200);
        const { dataset, duplicates } = assemble([...base, ...candidates], options);
        const texts = splits.flatMap((split) => dataset[split].map(({ text }) => text));
        const ids = splits.flatMap((split) => dataset[split].map(({ id }) => id));
        expect(new Set(texts).size).toBe(texts.length);
        expect(new Set(ids).size).toBe(ids.length);
        expect(texts.length + duplicates).toBe(base.length + candidates.length);
      }),
    );
  });

  it('never parts pairs of one first text, whichever class has to be brought into training', () => {
    const pair = fc.record({ text: fc.integer({ min: 0, max: 40 }), target: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 60 }), (pairs) => {
        const base = many(200).map((one, i) => ({ ...one, pair: `other ${i}` }));
        const drawn = pairs.map(({ text, target: label }, i) => ({
          text: `p${text}`,
          pair: `h${i}`,
          target: `rare ${label}`,
        }));
        const { dataset } = assemble([...base, ...drawn], options);
        const found = new Map<string, Set<string>>();
        for (const split of splits) {
          for (const { text } of dataset[split]) found.set(text, (found.get(text) ?? new Set()).add(split));
        }
        expect([...found].filter(([, own]) => own.size > 1)).toEqual([]);
        const trained = new Set(dataset.train.map(labelOf));
        expect(trained.size).toBe(dataset.classes.length);
      }),
    );
  });

  it('keeps the first of texts that contradict each other and counts them', () => {
    const again = [
      { text: 'text number 0', target: 'class 3' },
      { text: 'text number 1', target: 'class 1' },
    ];
    const { dataset, duplicates, contradictions } = assemble([...many(300), ...again], options);
    expect([duplicates, contradictions]).toEqual([2, 1]);
    expect(placesOf(dataset).get('text number 0')).toMatch(/class 0$/);
  });

  it('sorts classes, numbers by value', () => {
    const numbered = many(200).map(({ text }, i) => ({ text, target: String((i % 3) * 5) }));
    expect(assemble(numbered, options).dataset.classes).toEqual(['0', '5', '10']);
    expect(assemble(many(200), options).dataset.classes).toEqual(['class 0', 'class 1', 'class 2', 'class 3']);
  });

  it('gives every class a training text', () => {
    const rare = many(300).map((candidate, i) => (i % 30 === 0 ? { ...candidate, target: `rare ${i}` } : candidate));
    const { dataset } = assemble(rare, options);
    expect(new Set(dataset.train.map(labelOf)).size).toBe(dataset.classes.length);
  });

  it('keeps as many labels as asked and uses the other texts without', () => {
    const all = assemble(many(1000), options).dataset;
    const few = assemble(many(1000), { ...options, labelled: 100 }).dataset;
    expect(few.train.length).toBe(100);
    expect(few.unlabelled.length).toBe(all.train.length - 100);
    expect(few.unlabelled.every((example) => !('label' in example))).toBe(true);
    expect([few.validation, few.test]).toEqual([all.validation, all.test]);
  });

  it('keeps the labels of a smaller number among those of a larger', () => {
    const texts = (labelled: number) =>
      new Set(assemble(many(1000), { ...options, labelled }).dataset.train.map(({ text }) => text));
    const larger = texts(200);
    for (const text of texts(50)) expect(larger.has(text)).toBe(true);
  });

  it('uses all labels when more are asked for than there are', () => {
    const { dataset } = assemble(many(300), { ...options, labelled: 5000 });
    expect(dataset.unlabelled).toEqual([]);
  });

  it('limits to exactly so many texts, in proportion, without moving any', () => {
    const all = placesOf(assemble(many(4000), options).dataset);
    const { dataset } = assemble(many(4000), { ...options, limit: 1000 });
    const limited = placesOf(dataset);
    expect(limited.size).toBe(1000);
    for (const [text, place] of limited) expect(all.get(text)).toBe(place);
    // Four standard deviations of a draw of 1,000 texts at 10 %.
    expect(Math.abs(dataset.test.length - 100)).toBeLessThan(38);
  });

  it('keeps ids under a limit, so that caches by id stay valid', () => {
    const ids = new Map(assemble(many(900), options).dataset.train.map(({ text, id }) => [text, id]));
    for (const { text, id } of assemble(many(900), { ...options, limit: 300 }).dataset.train) {
      expect(ids.get(text)).toBe(id);
    }
  });

  it('leaves at least half of the training texts unlabelled when labels and texts are both limited', () => {
    const { dataset } = assemble(many(4000), { ...options, labelled: 3000, limit: 1000 });
    expect(Math.abs(dataset.train.length - dataset.unlabelled.length)).toBeLessThanOrEqual(1);
    const few = assemble(many(4000), { ...options, labelled: 20, limit: 1000 }).dataset;
    expect(few.train.length).toBe(20);
  });

  it('refuses a single class', () => {
    const single = many(300).map(({ text }) => ({ text, target: 'same' }));
    expect(() => assemble(single, options)).toThrow(
      "all training texts of texts.csv are labelled 'same'; expected at least two classes: check that 'label' names the right column",
    );
  });

  it('suspects a wrong column where nearly every text has a label of its own', () => {
    const own = many(300).map(({ text }, i) => ({ text, target: `row ${i}` }));
    expect(() => assemble(own, options)).toThrow(
      "texts.csv has 300 classes for 300 unique texts, and every class needs one to train on: check that 'label' names the right column",
    );
  });

  it('refuses to go on without test texts', () => {
    const trained = many(50).map((candidate) => ({ ...candidate, split: 'train' as const }));
    expect(() => assemble(trained, options)).toThrow(
      'the validation split is empty: 50 unique texts are too few; add texts or raise its share',
    );
  });

  it('takes a pair for the same only where both texts are', () => {
    const pairs = many(600).map((one, i) => ({ ...one, text: `premise ${i >> 1}`, pair: `hypothesis ${i}` }));
    const { dataset, duplicates } = assemble(
      [...pairs, { text: 'premise 1', pair: 'hypothesis 3', target: 'class 0' }],
      options,
    );
    expect(duplicates).toBe(1);
    expect(splits.flatMap((split) => dataset[split]).length).toBe(600);
  });

  it('never takes two texts for the pair that their sum would be', () => {
    const odd = [
      { text: 'a b', pair: 'c', target: 'class 0' },
      { text: 'a', pair: 'b c', target: 'class 1' },
      { text: '["a","b c"]', pair: '', target: 'class 1' },
    ];
    const pairs = many(300).map((candidate) => ({ ...candidate, pair: 'x' }));
    expect(assemble([...pairs, ...odd], options).duplicates).toBe(0);
  });

  it('indexes a tag a word, and leaves tags out where labels are not used', () => {
    const tagged = many(400).map(({ text }, i) => ({ text, target: ['nn', 'nn', i % 2 ? 'cd' : 'od'] }));
    const { dataset } = assemble(tagged, { ...options, task: 'token-classification', labelled: 50 });
    expect([dataset.task, dataset.classes]).toEqual(['token-classification', ['cd', 'nn', 'od']]);
    expect(dataset.train.length).toBe(50);
    for (const { text, target } of [...dataset.train, ...dataset.test]) {
      expect(target).toEqual([1, 1, Number(text.split(' ')[2]) % 2 ? 0 : 2]);
    }
    expect(dataset.unlabelled.filter((example) => 'tags' in example)).toEqual([]);
  });

  it('needs no classes for features', () => {
    const texts = many(300).map(({ text }) => ({ text }));
    const { dataset } = assemble(texts, { ...options, task: 'features' });
    expect([dataset.task, dataset.classes]).toEqual(['features', []]);
    expect(dataset.train.length + dataset.validation.length + dataset.test.length).toBe(300);
    expect(dataset.train.filter((example) => 'label' in example)).toEqual([]);
  });

  describe('by class', () => {
    const byClass = { ...options, by: 'class' as const };
    const countsOf = (dataset: Dataset, split: 'train' | 'validation' | 'test') =>
      dataset.classes.map((_, index) => dataset[split].filter(({ target }) => target === index).length);

    it('gives small classes their exact share of each split: 61 texts of 3 classes', () => {
      const few = many(61).map(({ text }, i) => ({ text, target: ['a', 'b', 'c'][i % 3] ?? '' }));
      const { dataset, remarks } = assemble(few, byClass);
      expect(countsOf(dataset, 'test')).toEqual([2, 2, 2]);
      expect(countsOf(dataset, 'validation')).toEqual([2, 2, 2]);
      expect(countsOf(dataset, 'train')).toEqual([17, 16, 16]);
      expect(remarks).toEqual([]);
    });

    it('has every class of three texts in every split, and says which splits lack a smaller one', () => {
      const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 12 });
      fc.assert(
        fc.property(sizes, (counts) => {
          const texts = counts.flatMap((count, c) =>
            Array.from({ length: count }, (_, i) => ({ text: `c${c} number ${i}`, target: `c${c}` })),
          );
          const { dataset, remarks } = assemble([...texts, ...many(100)], byClass);
          for (const [index, name] of dataset.classes.entries()) {
            const size = texts.filter(({ target }) => target === name).length;
            const present = (['train', 'validation', 'test'] as const).map((split) =>
              dataset[split].some(({ target }) => target === index),
            );
            const lacking = name.startsWith('c') && !name.startsWith('class') ? size : 3;
            expect(present).toEqual([true, lacking > 2, lacking > 1]);
          }
          const alone = counts.filter((count) => count < 3).length;
          expect(remarks.some((remark) => remark.includes('in the validation split'))).toBe(alone > 0);
        }),
      );
    });

    it('leaves large classes to the hash alone: their splits are those of before', () => {
      const large = placesOf(assemble(many(1600), byClass).dataset);
      expect(large).toEqual(placesOf(assemble(many(1600), options).dataset));
      // A fifth class of few texts moves none of the others.
      const rare = Array.from({ length: 20 }, (_, i) => ({ text: `rare ${i}`, target: 'rare' }));
      const more = placesOf(assemble([...many(1600), ...rare], byClass).dataset);
      for (const [text, place] of large) expect(more.get(text)).toBe(place);
    });

    it('does not depend on the order of the rows, and takes the texts that the hash would take first', () => {
      const forward = placesOf(assemble(many(200), byClass).dataset);
      expect(placesOf(assemble(many(200).toReversed(), byClass).dataset)).toEqual(forward);
    });

    it('keeps pairs of one first text together, whatever their classes', () => {
      const pair = fc.record({ text: fc.integer({ min: 0, max: 40 }), target: fc.integer({ min: 0, max: 5 }) });
      fc.assert(
        fc.property(fc.array(pair, { minLength: 60, maxLength: 120 }), (pairs) => {
          const candidates = pairs.map(({ text, target: label }, i) => ({
            text: `p${text}`,
            pair: `h${i}`,
            target: `c${label}`,
          }));
          const { dataset } = assemble(candidates, byClass);
          const found = new Map<string, Set<string>>();
          for (const split of splits) {
            for (const { text } of dataset[split]) found.set(text, (found.get(text) ?? new Set()).add(split));
          }
          expect([...found].filter(([, own]) => own.size > 1)).toEqual([]);
          expect(countsOf(dataset, 'train')).not.toContain(0);
        }),
      );
    });

    it('splits off of training texts what has no file of its own, and nothing else', () => {
      const own = many(40).map((one) => ({ ...one, text: `own ${one.text}`, split: 'test' as const }));
      const { dataset } = assemble([...own, ...many(80)], { ...byClass, shares: { validation: 0.1, test: 0 } });
      expect([dataset.test.length, countsOf(dataset, 'validation')]).toEqual([40, [2, 2, 2, 2]]);
    });

    it('points out classes that differ in case or spaces alone, or are the same number', () => {
      const labels = ['Yes', 'yes', '1', '1.0', 'no'];
      const { remarks } = assemble(
        many(200).map(({ text }, i) => ({ text, target: labels[i % 5] ?? '' })),
        byClass,
      );
      expect(remarks).toEqual([
        "'1', '1.0' are 2 classes: give them one name if they are the same",
        "'Yes', 'yes' are 2 classes: give them one name if they are the same",
      ]);
    });
  });
});
