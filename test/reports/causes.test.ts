import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Profile } from '../../data/profile.ts';
import { causes, causesOf } from '../../reports/causes/index.ts';
import type { CauseReport } from '../../reports/report.ts';
import { large, profiledModels, profileOf, thin } from '../stages/profile-rig.ts';

/** The profile in which a cause is looked for, and the ids of a model that shows it and of one that does not. */
interface Proof {
  readonly shows: string;
  readonly lacks: string;
  /** What of the profile is another one for the first, and for the second. */
  readonly shown?: (profile: Profile) => Profile;
  readonly lacking?: (profile: Profile) => Profile;
  readonly says: RegExp;
}

const x64 =
  (...cpuFlags: readonly string[]) =>
  (profile: Profile): Profile => ({
    ...profile,
    machine: { ...profile.machine, architecture: 'x64', cpuFlags },
  });

const proofs: Readonly<Record<string, Proof>> = {
  'float-products': { shows: 'wide', lacks: 'wide-int8', says: /all 9 matrix products compute in float32/ },
  'weight-encoding': { shows: 'unsigned', lacks: 'wide-int8', says: /weights are unsigned/ },
  'quantize-steps': { shows: 'thin', lacks: 'wide-int8', says: /cost more than 8-bit products save/ },
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
  'uncounted-work': { shows: 'table', lacks: 'wide', says: /work that MACs do not count/ },
  'no-vnni': {
    shows: 'wide-int8',
    lacks: 'wide-int8',
    shown: x64('avx2'),
    lacking: x64('avx2', 'avx512_vnni'),
    says: /no instructions/,
  },
  'more-threads-than-cores': { shows: 'large', lacks: 'tiny', says: /threads share/ },
  'odd-heads': { shows: 'odd', lacks: 'tiny', says: /heads of 21 do not fill vectors/ },
};

let alone: Profile;
let short: Profile;
let crowded: Profile;
beforeAll(async () => {
  alone = await profileOf(Object.fromEntries(Object.entries(profiledModels).map(([id, make]) => [id, make()])));
  short = await profileOf({ thin: thin() }, { words: 4 });
  crowded = await profileOf({ large: large() }, { threads: 4 * availableParallelism(), rounds: 10 });
}, 120_000);

const found = (id: string, change: (profile: Profile) => Profile = (same) => same): readonly CauseReport[] =>
  [alone, short, crowded].flatMap((profile) => causesOf(change(profile), id));

describe('the causes', () => {
  it('are each proved by a model that shows it and one that does not', () => {
    expect(Object.keys(proofs).sort()).toEqual(causes.map(({ name }) => name).sort());
  });

  it('are each explained in docs/causes.md', () => {
    const text = readFileSync(new URL('../../docs/causes.md', import.meta.url), 'utf8');
    expect(causes.map(({ name }) => name).filter((name) => !text.includes(`(\`${name}\`)`))).toEqual([]);
  });

  it.each(causes.map(({ name }) => name))('find %s where it is, with its evidence and measured share', (name) => {
    const proof = proofs[name];
    const shown = found(proof?.shows ?? '', proof?.shown).find((cause) => cause.name === name);
    expect(shown?.finding).toMatch(proof?.says ?? /./);
    expect(shown?.evidence).toMatch(/\d/);
    expect(shown?.share).toBeGreaterThan(0);
    expect(shown?.share).toBeLessThan(1);
  });

  it.each(causes.map(({ name }) => name))('do not find %s where it is not', (name) => {
    const proof = proofs[name];
    expect(found(proof?.lacks ?? '', proof?.lacking).map((cause) => cause.name)).not.toContain(name);
  });
});
