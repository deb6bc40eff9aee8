import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Scalar, scalarRecord, versionRecord } from '../../pipeline/log/tfevents.ts';

const golden = join(import.meta.dirname, '../golden/tensorboard');

/** Steps and tags of every length that a varint has here, and numbers that floats hold. */
const scalars: readonly Scalar[] = [
  { tag: 'teacher/loss', step: 0, value: 3.25, at: 1_700_000_000 },
  { tag: 'teacher/loss', step: 1, value: 0.5, at: 1_700_000_000.25 },
  { tag: 'teacher/loss', step: 300, value: -0.125, at: 1_700_000_001.5 },
  { tag: 'teacher/loss', step: 5_000_000_000, value: 1.5e-10, at: 1_700_000_002 },
  { tag: 'stages/accuracy', step: 127, value: 0.75, at: 1_700_000_003 },
  { tag: `größe/${'a'.repeat(200)}`, step: 128, value: 27_064_218, at: 1_700_000_004 },
];

const written = (): Buffer => Buffer.concat([versionRecord(1_700_000_000), ...scalars.map(scalarRecord)]);

describe('an event file', () => {
  it('has the bytes of the one that TensorBoard read', () => {
    expect(written().equals(readFileSync(join(golden, 'scalars.tfevents')))).toBe(true);
  });

  it('says in TensorBoard what was written', () => {
    const read: unknown = JSON.parse(readFileSync(join(golden, 'read.json'), 'utf8'));
    const tags = [...new Set(scalars.map(({ tag }) => tag))];
    const of = (tag: string) =>
      scalars.filter((one) => one.tag === tag).map(({ at, step, value }) => ({ at, step, value: Math.fround(value) }));
    expect(read).toEqual(Object.fromEntries(tags.map((tag) => [tag, of(tag)])));
  });
});
