import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../pipeline/events.ts';
import { plainView } from '../../pipeline/view/plain.ts';
import { duration, Pace, progressText } from '../../pipeline/view/text.ts';

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

describe('plain view', () => {
  it('writes one line an event, and progress every ten seconds', () => {
    const lines: string[] = [];
    let now = 0;
    const { emit } = plainView(
      (line) => lines.push(line),
      () => now,
    );
    emit({ type: 'run-started', name: 'p', steps, seed: 1, threads: 2, process: 7 });
    emit({ type: 'cached', step: 'dataset', seconds: 1.25, key: 'k' });
    emit({ type: 'started', step: 'teacher', key: 'k', why: ['config.epochs 3 -> 4', 'seed 1 -> 2'] });
    for (let done = 0; done <= 1000; done += 100) {
      emit(progress(done));
      now += 2000;
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

  it('forgets how slowly the work began', () => {
    const pace = new Pace();
    for (let second = 0; second <= 30; second++) pace.left({ done: second, total: 1000, unit: 'x' }, 1000 * second);
    for (let second = 31; second < 60; second++) {
      pace.left({ done: 30 + 10 * (second - 30), total: 1000, unit: 'x' }, 1000 * second);
    }
    expect(pace.left({ done: 330, total: 1000, unit: 'x' }, 60_000)).toBe(67);
  });
});
