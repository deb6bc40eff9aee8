import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { choices } from '../../data/evidence.ts';
import { entityScores } from '../../data/statistics/entities.ts';
import { judgedFigure } from '../../data/statistics/metrics.ts';
import { entitiesIn, tagNamed, withEntities } from '../../ground/metrics/entities.ts';
import { entityF1 } from '../../ground/metrics/index.ts';
import { figureOf, type Judged } from '../../ground/metrics/metric.ts';

const texts = z.array(z.array(z.string()));
const golden = z
  .object({
    cases: z.array(
      z.object({
        ...{ true: texts, said: texts, f1: z.number() },
        entities: z.array(z.array(z.tuple([z.int(), z.int(), z.string()]))),
        types: z.record(
          z.string(),
          z.object({ precision: z.number(), recall: z.number(), 'f1-score': z.number(), support: z.number() }),
        ),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../golden/entities.json', import.meta.url), 'utf8')));

/** Tags of texts as a report has them: numbers of classes, word after word. */
const wordsOf = (truth: readonly (readonly string[])[], said: readonly (readonly string[])[]) => {
  const classes = [...new Set(['O', ...truth.flat(), ...said.flat()])];
  const ids = (tags: readonly (readonly string[])[]): Int32Array =>
    Int32Array.from(tags.flat(), (tag) => classes.indexOf(tag));
  const groups = Int32Array.from(truth.flatMap((tags, text) => tags.map(() => text)));
  return { classes, chosen: ids(said), label: ids(truth), groups };
};

const judgedOf = ({ classes, chosen, label, groups }: ReturnType<typeof wordsOf>): Judged =>
  withEntities({ count: label.length, columns: { chosen, label }, groups }, classes);

describe('entity F1', () => {
  it.each(golden.cases.map((one, i) => [i, one] as const))(
    'is what seqeval says, case %i',
    (_, { true: truth, said, f1 }) => {
      expect(figureOf(entityF1, judgedOf(wordsOf(truth, said)))).toBeCloseTo(f1, 12);
    },
  );

  it('finds the entities that seqeval finds', () => {
    for (const { said, entities } of golden.cases) {
      const found = said.map((tags) =>
        entitiesIn(tags.map(tagNamed)).map(({ start, end, type }) => [start, end, type]),
      );
      expect(found).toEqual(entities);
    }
  });

  it('is the same of the scores that a report reads, and counts a word that was never read as outside of all', () => {
    const truth = [['B-PER', 'I-PER', 'O', 'B-LOC']];
    const { classes, chosen, label, groups } = wordsOf(truth, truth);
    const logits = Float32Array.from(chosen, () => 0);
    const all = new Float32Array(label.length * classes.length);
    chosen.forEach((c, word) => {
      all[word * classes.length + c] = 1;
    });
    expect(logits).toHaveLength(4);
    const scored = { classes: classes.length, labels: label, logits: all, groups };
    expect(figureOf(entityF1, choices(scored, classes).judged)).toBe(1);
    const unread = { ...scored, unread: Uint8Array.of(0, 0, 0, 1) };
    expect(figureOf(entityF1, choices(unread, classes).judged)).toBeCloseTo(2 / 3, 12);
  });

  it('has an interval over texts, which draws a text with all of its entities', () => {
    const truth = Array.from({ length: 40 }, () => ['B-PER', 'I-PER', 'O', 'B-LOC']);
    const said = truth.map((tags, i) => (i % 4 === 0 ? ['B-PER', 'O', 'O', 'O'] : tags));
    const { value, interval } = judgedFigure(entityF1, judgedOf(wordsOf(truth, said)));
    expect(value).toBeCloseTo((2 * 60) / (70 + 80), 12);
    expect(interval.low).toBeGreaterThan(0.6);
    expect(interval.low).toBeLessThan(value);
    expect(interval.high).toBeGreaterThan(value);
    expect(interval.high).toBeLessThan(0.95);
  });
});

describe('scores of entities by type', () => {
  it.each(golden.cases.map((one, i) => [i, one] as const))(
    'are what seqeval says, case %i',
    (_, { true: truth, said, types }) => {
      const words = wordsOf(truth, said);
      const scores = entityScores(judgedOf(words), words.classes);
      const present = scores.filter(({ support, precision, label }) => support + precision > 0 || label in types);
      expect(present.map(({ label }) => label).sort()).toEqual(Object.keys(types).sort());
      for (const { label, precision, recall, f1, support, f1Interval } of present) {
        const theirs = types[label];
        expect(precision).toBeCloseTo(theirs?.precision ?? Number.NaN, 12);
        expect(recall).toBeCloseTo(theirs?.recall ?? Number.NaN, 12);
        expect(f1).toBeCloseTo(theirs?.['f1-score'] ?? Number.NaN, 12);
        expect(support).toBe(theirs?.support);
        expect(0 <= f1Interval.low && f1Interval.low <= f1 && f1 <= f1Interval.high && f1Interval.high <= 1).toBe(true);
      }
    },
  );

  it('have intervals over texts, which narrow with more of them', () => {
    const widthOf = (texts: number): number => {
      const truth = Array.from({ length: texts }, () => ['B-PER', 'O', 'B-LOC', 'I-LOC']);
      const said = truth.map((tags, i) => (i % 4 === 0 ? ['O', 'O', 'B-LOC', 'O'] : tags));
      const words = wordsOf(truth, said);
      const [person] = entityScores(judgedOf(words), words.classes);
      expect([person?.label, person?.recall, person?.precision]).toEqual(['PER', 0.75, 1]);
      return (person?.f1Interval.high ?? 0) - (person?.f1Interval.low ?? 0);
    };
    const [few, many] = [widthOf(20), widthOf(320)];
    expect(few / many).toBeGreaterThan(3);
    expect(few / many).toBeLessThan(5.5);
  });
});
