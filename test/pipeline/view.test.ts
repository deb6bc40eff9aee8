import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../pipeline/events.ts';
import { plainView } from '../../pipeline/view/plain.ts';
import { leftText, Remaining } from '../../pipeline/view/remaining.ts';
import { duration, figuresText, Pace, progressText } from '../../pipeline/view/text.ts';

const steps = [
  { id: 'dataset', uses: 'dataset', place: 'data' },
  { id: 'teacher', uses: 'train', place: 'named' },
  { id: 'teacher/evaluate', uses: 'evaluate', place: 'each-model' },
] as const;

const progress = (done: number): RunEvent => ({
  type: 'progress',
  step: 'teacher',
  progress: { done, total: 2000, unit: 'steps', phase: 'epoch 1/4', loss: 1.23456, tokensPerSecond: 45_678.9 },
});

/** A plain view, what it wrote, and its clock. */
const watched = () => {
  const clock = { now: 0 };
  const lines: string[] = [];
  const { emit } = plainView(
    (line) => lines.push(line),
    () => clock.now,
  );
  return { lines, clock, emit };
};

describe('plain view', () => {
  it('writes one line an event, and progress every ten seconds', () => {
    const { lines, clock, emit } = watched();
    emit({ type: 'run-started', name: 'p', steps, seed: 1, threads: 2, process: 7 });
    emit({ type: 'cached', step: 'dataset', seconds: 1.25, key: 'k' });
    emit({ type: 'started', step: 'teacher', key: 'k', why: ['config.epochs 3 -> 4', 'seed 1 -> 2'] });
    for (let done = 0; done <= 1000; done += 100) {
      emit(progress(done));
      clock.now += 2000;
    }
    emit({ type: 'log', step: 'teacher', message: 'best epoch 3' });
    emit({ type: 'finished', step: 'teacher', seconds: 83 });
    emit({ type: 'waiting', step: 'teacher/evaluate' });
    emit({ type: 'damaged', step: 'teacher/evaluate', files: ['predictions/logits.bin'] });
    emit({ type: 'failed', step: 'teacher/evaluate', message: 'no', log: null });
    emit({ type: 'run-finished', complete: false, seconds: 100, ran: 1, reused: 1 });
    expect(lines.join('\n')).toBe(`p: 3 steps, seed 1, 2 threads
dataset           reused, took 1.3 s when it was made
teacher           started: config.epochs 3 -> 4; seed 1 -> 2
teacher           epoch 1/4, 500/2,000 steps, loss 1.235, 45,679 tokens/s, 30 s left
teacher           epoch 1/4, 1,000/2,000 steps, loss 1.235, 45,679 tokens/s, 20 s left
teacher           best epoch 3
teacher           done in 1 m 23 s
teacher/evaluate  waits for another run that is working on it
teacher/evaluate  damaged in the store: predictions/logits.bin; it is made again
teacher/evaluate  failed: no
stopped after 1 m 40 s: 1 step run, 1 reused`);
  });

  it('tells what a model is worth as soon as it was asked, and with progress what is left of the whole run', () => {
    const { lines, clock, emit } = watched();
    emit({ type: 'run-started', name: 'p', steps, seed: 1, threads: 2, process: 7 });
    emit({ type: 'expected', seconds: { dataset: 5, teacher: 100, 'teacher/evaluate': 20 }, later: 0 });
    emit({ type: 'started', step: 'dataset', key: 'k', why: ['never run before'] });
    emit({ type: 'finished', step: 'dataset', seconds: 5 });
    emit({ type: 'started', step: 'teacher', key: 'k', why: ['never run before'] });
    emit(progress(0));
    clock.now = 20_000;
    emit(progress(400));
    const figures = { metric: 'accuracy', score: 0.9123, low: 0.89, high: 0.93, answers: 400 };
    emit({ type: 'finished', step: 'teacher/evaluate', seconds: 20, figures });
    emit({ type: 'cached', step: 'teacher/evaluate', seconds: 20, key: 'k', figures });
    expect(lines.slice(1).join('\n')).toBe(`dataset           started: never run before
dataset           done in 5.0 s
teacher           started: never run before
teacher           epoch 1/4, 400/2,000 steps, loss 1.235, 45,679 tokens/s, 1 m 20 s left
about 1 m 40 s left in all
teacher/evaluate  done in 20 s: accuracy 91.2 % [89.0, 93.0]
teacher/evaluate  reused, took 20 s when it was made: accuracy 91.2 % [89.0, 93.0]`);
  });

  it('names the seed of every line where there are several', () => {
    const lines: string[] = [];
    const { emit } = plainView((line) => lines.push(line));
    for (const seed of [1, 2]) {
      emit({ type: 'run-started', name: 'p', steps, seed, seeds: [1, 2], threads: 1, process: 7 });
      emit({ type: 'finished', step: 'dataset', seconds: 1 });
    }
    expect(lines.join('\n')).toBe(`p: 3 steps, seed 1, 1 thread
seed 1  dataset           done in 1.0 s
p: 3 steps, seed 2, 1 thread
seed 2  dataset           done in 1.0 s`);
  });
});

describe('texts of the view', () => {
  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 m 00 s'],
    [3599, '59 m 59 s'],
    [3660, '1 h 01 m'],
  ])('says %d seconds as %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it('counts without a total where the total is not known', () => {
    expect(progressText({ done: 1234, total: 0, unit: 'texts' }, undefined)).toBe('1,234 texts');
  });

  it('estimates the time left from the pace of the part of the work that is under way', () => {
    const pace = new Pace();
    expect(pace.left({ done: 50, total: 100, unit: 'x' }, 0)).toBeUndefined();
    expect(pace.left({ done: 60, total: 100, unit: 'x' }, 2000)).toBe(8);
    expect(pace.left({ done: 1, total: 7, unit: 'y' }, 2500)).toBeUndefined();
    expect(pace.left({ done: 2, total: 7, unit: 'y' }, 4500)).toBe(10);
  });

  it('expects nothing more of work that is further than it said it would come', () => {
    const pace = new Pace();
    pace.left({ done: 0, total: 19, unit: 'x' }, 0);
    expect(pace.left({ done: 20, total: 19, unit: 'x' }, 2000)).toBe(0);
  });

  it('forgets how slowly the work began', () => {
    const pace = new Pace();
    for (let second = 0; second <= 30; second++) pace.left({ done: second, total: 1000, unit: 'x' }, 1000 * second);
    for (let second = 31; second < 60; second++) {
      pace.left({ done: 30 + 10 * (second - 30), total: 1000, unit: 'x' }, 1000 * second);
    }
    expect(pace.left({ done: 330, total: 1000, unit: 'x' }, 60_000)).toBe(67);
  });
});

const ids = steps.map(({ id }) => id);
const started = { type: 'run-started', name: 'p', steps, seed: 1, threads: 2, process: 7 } as const;

const anyEvent = fc.oneof(
  fc.record({ type: fc.constant('started' as const), step: fc.constantFrom(...ids) }),
  fc.record({
    type: fc.constant('progress' as const),
    step: fc.constantFrom(...ids),
    progress: fc.record({ done: fc.nat(50), total: fc.nat(40), unit: fc.constant('x') }),
  }),
  fc.record({
    type: fc.constant('finished' as const),
    step: fc.constantFrom(...ids),
    seconds: fc.double({ min: 0, max: 1e4, noNaN: true }),
  }),
);

describe('the time that is left of a run', () => {
  it('is a number that is never below zero, and nothing when all has ended, whatever happens', () => {
    const seconds = fc.dictionary(fc.constantFrom(...ids), fc.double({ min: 0, max: 1e4, noNaN: true }));
    const events = fc.array(fc.tuple(anyEvent, fc.nat(60_000)), { maxLength: 20 });
    fc.assert(
      fc.property(seconds, events, (expected, happened) => {
        const remaining = new Remaining();
        let now = 0;
        remaining.see(started, now);
        remaining.see({ type: 'expected', seconds: expected, later: 0 }, now);
        for (const [event, ms] of happened) {
          now += ms;
          remaining.see(event.type === 'started' ? { ...event, key: 'k', why: [] } : event, now);
          const left = remaining.left(now);
          if (left === undefined) continue;
          expect(left.seconds).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(left.seconds)).toBe(true);
          expect(leftText(left)).toMatch(/^about .* left$/);
        }
        for (const step of ids) remaining.see({ type: 'finished', step, seconds: 1 }, now);
        expect(remaining.left(now)).toBeUndefined();
      }),
    );
  });

  it('falls from what was expected to zero where steps take what they should', () => {
    const remaining = new Remaining();
    const expected = { dataset: 10, teacher: 100, 'teacher/evaluate': 20 };
    remaining.see(started, 0);
    remaining.see({ type: 'expected', seconds: expected, later: 0 }, 0);
    let now = 0;
    for (const [step, seconds] of Object.entries(expected)) {
      remaining.see({ type: 'started', step, key: 'k', why: [] }, now);
      for (let done = 0; done < seconds; done++, now += 1000) {
        const progress = { done, total: seconds, unit: 'x' };
        remaining.see({ type: 'progress', step, progress }, now);
        expect(remaining.left(now)?.seconds).toBeCloseTo(130 - now / 1000, 6);
      }
      remaining.see({ type: 'finished', step, seconds }, now);
    }
    expect(remaining.left(now)).toBeUndefined();
  });

  it('stays a number where a step that was to take nothing took long', () => {
    const remaining = new Remaining();
    remaining.see(started, 0);
    remaining.see({ type: 'expected', seconds: { dataset: 5e-324, teacher: 1.5e-323, measure: 0 }, later: 0 }, 0);
    remaining.see({ type: 'finished', step: 'dataset', seconds: 1e4 }, 0);
    expect(remaining.left(0)?.seconds).toBeLessThan(1e-300);
  });

  it('follows the pace of a step that takes forty times what it should after minutes, not after its last updates', () => {
    const remaining = new Remaining();
    remaining.see(started, 0);
    remaining.see({ type: 'expected', seconds: { teacher: 150 }, later: 0 }, 0);
    remaining.see({ type: 'started', step: 'teacher', key: 'k', why: [] }, 0);
    for (let second = 0; second <= 600; second++) {
      const progress = { done: second, total: 6000, unit: 'x' };
      remaining.see({ type: 'progress', step: 'teacher', progress }, 1000 * second);
    }
    expect(remaining.left(600_000)?.seconds).toBeGreaterThan(0.9 * 5400);
  });

  it('grows where steps take twice what they should, and counts what was never timed apart', () => {
    const remaining = new Remaining();
    remaining.see(started, 0);
    remaining.see({ type: 'expected', seconds: { dataset: 50, teacher: 50 }, later: 100 }, 0);
    expect(remaining.left(0)).toEqual({ seconds: 200, unknown: 1 });
    remaining.see({ type: 'started', step: 'dataset', key: 'k', why: [] }, 0);
    remaining.see({ type: 'finished', step: 'dataset', seconds: 100 }, 100_000);
    expect(remaining.left(100_000)?.seconds).toBeCloseTo((150 * 120) / 70, 6);
    expect(leftText({ seconds: 90, unknown: 1 })).toBe('about 1 m 30 s and 1 step never timed left');
  });
});

describe('figures', () => {
  it.each([
    [{ metric: 'accuracy', score: 0.9, low: 0.85, high: 0.94, answers: 10 }, 'accuracy 90.0 % [85.0, 94.0]'],
    [
      { metric: 'spearman', score: 0.8123, low: 0.7, high: 0.9, answers: 10 },
      'Spearman correlation 0.812 [0.700, 0.900]',
    ],
    [{ metric: 'other', score: 2, low: 1, high: 3, answers: 10 }, 'other 2 [1, 3]'],
  ])('are written as the report writes them', (figures, text) => expect(figuresText(figures)).toBe(text));
});
