import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { layerUnits } from '../../models/anatomy/units.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import { exportInto } from '../clients/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { goldenDecoders, goldenFolder } from './golden.ts';
import { scoresOf } from './scores.ts';

/** Sums in another order, over scores of up to 10. */
const ROUNDING = 1e-4;
/** Of the vocabulary the recipe keeps every so many. */
const EVERY = 7;

const expected = z.object({ rows: z.array(z.array(z.number())), scores: z.array(z.array(z.array(z.number()))) });

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const kept = (scores: readonly number[]): readonly number[] => scores.filter((_, id) => id % EVERY === 0);

describe.each(goldenDecoders)('a checkpoint of %s', (name) => {
  it('computes what PyTorch does, is found in its parts, and goes on from what it remembers', async () => {
    const model = await importFolder(join(goldenFolder, name), { head: 'keep' });
    const { rows, scores } = expected.parse(
      JSON.parse(readFileSync(join(goldenFolder, name, 'expected.json'), 'utf8')),
    );
    const found = await scoresOf(model, rows, kept);
    const differences = found.flatMap((row, r) =>
      row.flatMap((place, p) => place.map((score, c) => Math.abs(score - (scores[r]?.[p]?.[c] ?? Number.NaN)))),
    );
    expect(differences.length).toBe(scores.flat(2).length);
    expect(Math.max(...differences)).toBeLessThan(ROUNDING);
    const anatomy = anatomyOf(model.graph);
    const units = anatomy.layers.map((layer) => layerUnits(model.graph, anatomy, layer));
    const headWidth = name === 'qwen3' ? 8 : 4;
    expect(units).toMatchObject(Array(2).fill({ heads: 4, kvHeads: 2, headWidth, ffn: 20, gated: true }));
    // Checked in there: in pieces and behind padding.
    await exportInto(space.folder, name, model, ['fp32']);
  });
});

it('of a decoder with stretched positions, or made for something else, is refused', async () => {
  const config = JSON.parse(readFileSync(join(goldenFolder, 'llama', 'config.json'), 'utf8'));
  const wrong = async (changes: object): Promise<unknown> => {
    for (const file of readdirSync(join(goldenFolder, 'llama'))) {
      space.write(`wrong/${file}`, readFileSync(join(goldenFolder, 'llama', file)));
    }
    space.write('wrong/config.json', JSON.stringify({ ...config, ...changes }));
    return await importFolder(space.path('wrong'), { head: 'keep' });
  };
  await expect(wrong({ rope_parameters: { rope_type: 'llama3', rope_theta: 500 } })).rejects.toThrow(/rope_type/);
  await expect(wrong({ num_key_value_heads: 3 })).rejects.toThrow(
    /num_key_value_heads is 3; expected a divisor of 4 heads/,
  );
  await expect(wrong({ architectures: ['LlamaForSequenceClassification'] })).rejects.toThrow(
    /LlamaForSequenceClassification, a head that decant does not know/,
  );
});
