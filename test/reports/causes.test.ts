import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelProfile, Profile, Timed } from '../../data/profile.ts';
import { intervalOf, isDisturbed, roundsOf, savingOf, timeOf } from '../../reports/causes/cause.ts';
import { causes, causesOf, isUndecided } from '../../reports/causes/index.ts';
import type { CauseReport } from '../../reports/report.ts';
import { large, profiledModels, profileOf, thin } from '../stages/profile-rig.ts';

/** The profile in which a cause is looked for, and the ids of a model that shows it and of one that does not. */
interface Proof {
  readonly shows: string;
  readonly lacks: string;
  /** What of the profile is another one for the first, and for the second. */
  readonly shown?: (profile: Profile) => Profile;
  readonly lacking?: (profile: Profile) => Profile;
  /** Whether times say that the machine does not have it: kernels differ. */
  readonly absent?: (profiles: readonly Profile[]) => boolean;
  readonly says: RegExp;
}

const x64 =
  (...cpuFlags: readonly string[]) =>
  (profile: Profile): Profile => ({
    ...profile,
    machine: { ...profile.machine, architecture: 'x64', cpuFlags },
  });

/** The share of a time that is noise. */
const NOISE = 0.02;

/** Heads of 21 stand where a width of five eighths between 16 and 24 should. */
const losesNothing = (odd: ModelProfile): boolean => {
  const of = (variant: 'full' | 'narrow-heads' | 'wide-heads'): number => timeOf(odd, variant) ?? Number.NaN;
  const [narrow, wide] = [of('narrow-heads'), of('wide-heads')];
  return of('full') <= (1 + NOISE) * (narrow + (5 / 8) * (wide - narrow));
};

/** CPUs may multiply by blocks as fast as by floats. */
const isFasterInBlocks = (model: ModelProfile | undefined): boolean =>
  model === undefined || (timeOf(model, 'full') ?? Number.NaN) <= (1 + NOISE) * (timeOf(model, 'float') ?? Number.NaN);

const proofs: Readonly<Record<string, Proof>> = {
  'float-products': { shows: 'wide', lacks: 'wide-int8', says: /all 9 matrix products compute in float32/ },
  'weight-encoding': { shows: 'unsigned', lacks: 'wide-int8', says: /weights are unsigned/ },
  'quantize-steps': { shows: 'thin', lacks: 'wide-int8', says: /cost more than 8-bit products save/ },
  'block-products': {
    shows: 'wide-q4',
    lacks: 'wide-int8',
    absent: (profiles) => profiles.every(({ models }) => isFasterInBlocks(models['wide-q4'])),
    says: /9 matrix products take longer by blocks of 4 bits than in float32/,
  },
  'attention-in-pieces': {
    shows: 'broken',
    lacks: 'odd',
    says: /2 of 2 attentions run in pieces: Abs '.*' follows Softmax '.*', not MatMul/,
  },
  'idle-zeros': { shows: 'sparse', lacks: 'wide', says: /% of the weights in products are zeros/ },
  'embedding-table': {
    shows: 'table',
    lacks: 'wide',
    says: /most of the bytes are the table embeddings.word_embeddings.weight/,
  },
  'fixed-cost': { shows: 'tiny', lacks: 'wide', says: /are fixed cost/ },
  'uncounted-work': { shows: 'table', lacks: 'wider', says: /work that MACs do not count/ },
  'no-vnni': {
    shows: 'wide-int8',
    lacks: 'wide-int8',
    shown: x64('avx2'),
    lacking: x64('avx2', 'avx512_vnni'),
    says: /no instructions/,
  },
  'more-threads-than-cores': { shows: 'large', lacks: 'tiny', says: /threads share/ },
  'odd-heads': {
    shows: 'odd',
    lacks: 'tiny',
    absent: (profiles) => profiles.every(({ models: { odd } }) => odd === undefined || losesNothing(odd)),
    says: /heads of 21 do not fill vectors/,
  },
};

/** Times are real, and other work on the machine can hide an effect: what no measurement of so many shows is not there. */
const MEASUREMENTS = 4;

const measured: (readonly Profile[])[] = [];
const measurement = async (attempt: number): Promise<readonly Profile[]> => {
  measured[attempt] ??= [
    await profileOf(Object.fromEntries(Object.entries(profiledModels).map(([id, make]) => [id, make()]))),
    await profileOf({ thin: thin() }, { words: 4 }),
    await profileOf({ large: large() }, { threads: 4 * availableParallelism(), rounds: 10 }),
  ];
  return measured[attempt];
};
beforeAll(() => measurement(0));

/** Of a model whose times other work disturbed, nothing is claimed that only times tell. */
const expectNothingFromTimes = (profiles: readonly Profile[], id: string): void => {
  for (const { shares, undecided } of profiles.map((profile) => ({
    shares: causesOf(profile, id).flatMap(({ about, share }) => (about === 'time' && share !== null ? [share] : [])),
    undecided: isUndecided(profile, id),
  }))) {
    if (undecided) expect(shares).toEqual([]);
  }
};

/**
 * Checks the causes of a model in one measurement after another until one agrees. On a busy machine there is none to check:
 * then that is what must have been said.
 */
const inSomeMeasurement = async (
  id: string,
  change: (profile: Profile) => Profile = (same) => same,
  check: (found: readonly CauseReport[], profiles: readonly Profile[]) => void,
): Promise<void> => {
  for (let attempt = 0; ; attempt++) {
    const profiles = (await measurement(attempt)).filter(({ models }) => id in models);
    if (profiles.every((profile) => isUndecided(profile, id))) return expectNothingFromTimes(profiles, id);
    const found = profiles.flatMap((profile) => causesOf(change(profile), id));
    try {
      check(found, profiles);
      return;
    } catch (failure) {
      if (attempt + 1 >= MEASUREMENTS) throw failure;
    }
  }
};

describe('the causes', () => {
  it('are each proved by a model that shows it and one that does not', () => {
    expect(Object.keys(proofs).sort()).toEqual(causes.map(({ name }) => name).sort());
  });

  it('are each explained in docs/causes.md', () => {
    const text = readFileSync(new URL('../../docs/causes.md', import.meta.url), 'utf8');
    expect(causes.map(({ name }) => name).filter((name) => !text.includes(`(\`${name}\`)`))).toEqual([]);
  });

  it.each(causes.map(({ name }) => name))('find %s where it is, with its evidence and measured share', async (name) => {
    const proof = proofs[name];
    await inSomeMeasurement(proof?.shows ?? '', proof?.shown, (found, profiles) => {
      const shown = found.find((cause) => cause.name === name);
      if (shown === undefined && proof?.absent?.(profiles) === true) return;
      expect(shown?.finding).toMatch(proof?.says ?? /./);
      expect(shown?.evidence).toMatch(/\d/);
      expect(shown?.share).toBeGreaterThan(0);
      expect(shown?.share).toBeLessThan(1);
    });
  });

  it.each(causes.map(({ name }) => name))('do not find %s where it is not', async (name) => {
    const proof = proofs[name];
    await inSomeMeasurement(proof?.lacks ?? '', proof?.lacking, (found) =>
      expect(found.map((cause) => cause.name)).not.toContain(name),
    );
  });
});

/** Twenty rounds of a time, of which other work disturbed some: those took ten times as long. */
const timed = (nodes: number, ms: number, disturbed: (round: number) => boolean): Timed => {
  const rounds = Array.from({ length: 20 }, (_, round) => disturbed(round));
  return {
    nodes,
    ms: rounds.map((was, round) => (was ? 10 : 1) * ms * (1 + (round % 3) / 100)),
    waited: rounds.map((was) => (was ? 0.6 : 0.01)),
  };
};

/** A model of which uncounted work is the given share of a millisecond. */
const withUncounted = (share: number, disturbed: (round: number) => boolean): ModelProfile => ({
  ...{ macs: 1000, bytes: 1000, table: null, products: [], attention: { fused: [], broken: [] } },
  nodes: [{ name: 'add', op: 'Add', layer: 'graph', group: 'other', ms: share }],
  times: {
    full: timed(21, 1, (round) => disturbed(round)),
    empty: timed(1, 0.001, () => false),
    chain: timed(21, 0.002, () => false),
    'without-product': timed(11, 0.3, (round) => disturbed(round + 1)),
    'without-other': timed(3, 0.3 - share, (round) => disturbed(round + 2)),
  },
});

const profileWith = (model: ModelProfile): Profile => ({
  schema: 'decant.profile/2',
  machine: { cpu: 'a cpu', architecture: 'x64', cpuFlags: ['avx512_vnni'], cores: 2 },
  threads: 1,
  cell: { batch: 1, length: 15 },
  reference: null,
  models: { model },
});

describe('causes that times tell', () => {
  const namesOf = (model: ModelProfile): readonly string[] =>
    causesOf(profileWith(model), 'model').map(({ name }) => name);
  const never = (): boolean => false;
  const fifth = (round: number): boolean => round % 5 === 0;

  it('are told from rounds that other work left alone', () => {
    for (const disturbed of [never, fifth]) {
      const model = withUncounted(0.2, disturbed);
      expect(isDisturbed(model)).toBe(false);
      expect(timeOf(model, 'full')).toBeCloseTo(1.01, 2);
      expect(savingOf(model, 'without-other', 'without-product')?.ms).toBeCloseTo(0.2, 2);
      expect(namesOf(model)).toEqual(['uncounted-work']);
      expect(namesOf(withUncounted(0.05, disturbed))).toEqual([]);
    }
  });

  it('are undecided where other work disturbed most turns, whatever the times say', () => {
    const model = withUncounted(0.2, (round) => round % 10 !== 0);
    expect(isDisturbed(model)).toBe(true);
    expect(isUndecided(profileWith(model), 'model')).toBe(true);
    expect(isUndecided(profileWith(model), 'another')).toBe(false);
    expect(namesOf(model)).toEqual([]);
  });

  it('are undecided where a single one of the changed graphs was disturbed all the time', () => {
    const model = withUncounted(0.2, never);
    const threads = timed(21, 3, () => true);
    expect(isDisturbed({ ...model, times: { ...model.times, 'asked-threads': threads } })).toBe(true);
  });

  it('are not claimed from a middle that is above the limit by chance', () => {
    const model = withUncounted(0.11, never);
    const without = model.times['without-other'];
    if (without === undefined) throw new Error('not timed');
    const scattered = { ...without, ms: without.ms.map((ms, round) => ms + (round % 2 === 0 ? 0.08 : -0.02)) };
    expect(namesOf({ ...model, times: { ...model.times, 'without-other': scattered } })).toEqual([]);
  });

  it('come from pairs of rounds that were both undisturbed', () => {
    const [one, other] = [timed(1, 2, (round) => round === 0), timed(1, 1, (round) => round === 1)];
    const saving = intervalOf(roundsOf(one), roundsOf(other));
    expect(saving.share).toBeCloseTo(0.5, 9);
    expect(saving.before).toBeLessThan(2.1);
  });
});
