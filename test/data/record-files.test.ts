import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDataset, writeDataset } from '../../data/files.ts';
import { stream } from '../../data/random.ts';
import { isUserError } from '../../ground/errors.ts';
import { spoiledJson } from '../rig/hostile/json.ts';
import { workspace } from '../rig/workspace.ts';

const texts = [{ id: 0, text: 'one' }];

describe('a dataset that was changed is read as it stands or refused by its name', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('with seed %i', async (seed) => {
    using space = workspace();
    const splits = { train: texts, unlabelled: [], validation: texts, test: texts };
    await writeDataset(space.folder, { task: 'features', classes: [], maxLength: 8, ...splits });
    for (const file of ['dataset.json', 'test.jsonl']) {
      space.write(file, spoiledJson(readFileSync(space.path(file), 'utf8'), stream(seed, file)));
    }
    const outcome = await readDataset(space.folder).then(
      () => 'read',
      (error: unknown) => (isUserError(error) ? 'refused' : error),
    );
    expect(['read', 'refused']).toContain(outcome);
  });
});
