import { describe, expect, it } from 'vitest';
import type { Counterfactual, ModelProfile, Profile, Timed } from '../../data/profile.ts';
import { gapOf } from '../../reports/gap.ts';

const ROUNDS = 8;

/** Equal times in every round. */
const modelOf = (
  macs: number,
  times: Readonly<Partial<Record<Counterfactual, readonly [number, number]>>>,
): ModelProfile => ({
  macs,
  bytes: 1000,
  table: null,
  nodes: [],
  products: [],
  attention: { fused: [], broken: [] },
  times: Object.fromEntries(
    Object.entries(times).map(([name, [nodes, ms]]): [string, Timed] => [
      name,
      { nodes, ms: Array.from({ length: ROUNDS }, () => ms), waited: Array(ROUNDS).fill(0.01) },
    ]),
  ),
});

const profileOf = (models: Readonly<Record<string, ModelProfile>>): Profile => ({
  schema: 'decant.profile/2',
  machine: { cpu: 'a cpu', architecture: 'x64', cpuFlags: [], cores: 2 },
  threads: 1,
  cell: { batch: 1, length: 15 },
  reference: 'teacher',
  models,
});

/** 100 times the work of the small model in products; everything else alike. */
const teacher = modelOf(1000, {
  full: [21, 2],
  empty: [1, 0.01],
  chain: [21, 0.03],
  'without-product': [11, 0.1],
  'without-attention': [10, 0.08],
  'without-other': [3, 0.05],
});
const small = modelOf(100, {
  full: [21, 0.11],
  reference: [0, 2],
  empty: [1, 0.01],
  chain: [21, 0.03],
  'without-quantize': [19, 0.1],
  'without-product': [9, 0.06],
  'without-attention': [8, 0.05],
  'without-other': [3, 0.04],
  float: [19, 0.22],
});

describe('the gap between MACs and time', () => {
  it('is split over the parts of a run and a rest, which add up to it', () => {
    const gap = gapOf(profileOf({ teacher, small }), 'small');
    expect(gap).toMatchObject({ versus: 'teacher', macRatio: 10, ms: 0.11, expectedMs: 0.2 });
    expect(gap?.timeRatio).toBeCloseTo(2 / 0.11, 10);
    const parts = gap?.parts.reduce((sum, part) => sum + part.ms - part.expectedMs, 0) ?? Number.NaN;
    expect(parts + (gap?.unexplainedMs ?? Number.NaN)).toBeCloseTo(gap?.gapMs ?? Number.NaN, 12);
    expect(gap?.explained).toBeCloseTo(1 - Math.abs((gap?.unexplainedMs ?? 0) / (gap?.gapMs ?? 1)), 12);
  });

  it('counts what is taken away without the fixed cost of its nodes', () => {
    const parts = new Map(gapOf(profileOf({ teacher, small }), 'small')?.parts.map(({ name, ms }) => [name, ms]));
    const node = (0.03 - 0.01) / 20;
    expect(parts.get('steps between float and 8 bits')).toBeCloseTo(0.01 - 2 * node, 12);
    expect(parts.get('attention between the products')).toBeCloseTo(0.01 - node, 12);
    expect(parts.get('work that MACs do not count')).toBeCloseTo(0.02 - 6 * node, 12);
  });

  it('shows what 8 bits gain as a part below zero', () => {
    const parts = new Map(gapOf(profileOf({ teacher, small }), 'small')?.parts.map(({ name, ms }) => [name, ms]));
    expect(parts.get('products, what 8 bits change')).toBeLessThan(-0.1);
  });

  it('is none for the reference, for a model without a profile and for one that ends where its MACs say', () => {
    const alike = { ...small, macs: (1000 * 0.11) / 2 };
    const profile = profileOf({ teacher, small: alike });
    expect(gapOf(profile, 'teacher')).toBeNull();
    expect(gapOf(profile, 'other')).toBeNull();
    expect(gapOf(profile, 'small')?.explained).toBeNull();
  });
});
