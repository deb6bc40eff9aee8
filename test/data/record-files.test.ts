import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPredictions, writePredictions } from '../../data/predictions.ts';
import { stream } from '../../data/random.ts';
import { readVectors, writeVectors } from '../../data/vectors.ts';
import { isUserError } from '../../ground/errors.ts';
import { spoiledJson } from '../rig/hostile/json.ts';
import { workspace } from '../rig/workspace.ts';

const read = (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    () => 'read',
    (error: unknown) => (isUserError(error) ? 'refused' : error),
  );

describe('a record that was changed is read as it stands or refused by its name', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('with seed %i', async (seed) => {
    using space = workspace();
    const path = (file: string): string => space.path(file);
    const [ids, labels] = [Int32Array.of(0, 1), Int32Array.of(1, 0)];
    await writePredictions(space.folder, { split: 'test', classes: 2, ids, labels, logits: new Float32Array(4) });
    await writeVectors(space.folder, { ids, width: 3, values: new Float32Array(6) });
    for (const file of ['predictions.json', 'vectors.json']) {
      space.write(file, spoiledJson(readFileSync(path(file), 'utf8'), stream(seed, file)));
    }
    expect(['read', 'refused']).toContain(await read(readPredictions(path)));
    expect(['read', 'refused']).toContain(await read(readVectors(path)));
  });

  it('where bytes are missing', async () => {
    using space = workspace();
    const ids = Int32Array.of(0, 1);
    await writePredictions(space.folder, { split: 'test', classes: 2, ids, labels: ids, logits: new Float32Array(4) });
    space.write('logits.f32', new Uint8Array(15));
    await expect(readPredictions((file) => space.path(file))).rejects.toThrow(
      /logits\.f32 is damaged: it has 15 bytes; its header announces 16/,
    );
  });
});
