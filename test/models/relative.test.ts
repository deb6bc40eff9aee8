import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sidedBucket, signedBucket } from '../../models/architectures/relative.ts';

/** Buckets of the distances -511 to 511, as PyTorch computes them (recipe.py beside the file). */
const { mpnet, 'deberta-v2': deberta } = z
  .object({ mpnet: z.array(z.int()), 'deberta-v2': z.array(z.int()) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../golden/checkpoints/buckets.json'), 'utf8')));

const distances = Array.from({ length: 1023 }, (_, i) => i - 511);

describe('distances fall into the buckets that PyTorch finds, at the sizes of published models', () => {
  test('of MPNet: 32 buckets', () => {
    expect(distances.map(sidedBucket)).toEqual(mpnet);
  });

  test('of DeBERTa: 256 buckets, 512 positions', () => {
    expect(distances.map((distance) => signedBucket(distance, 256, 512))).toEqual(deberta);
  });
});
