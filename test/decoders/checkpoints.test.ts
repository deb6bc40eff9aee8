import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { layerUnits } from '../../models/anatomy/units.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import type { Model } from '../../models/model.ts';
import { exportInto } from '../clients/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { goldenDecoder, goldenDecoders, goldenFolder } from './golden.ts';
import { scoresOf } from './scores.ts';

/** Sums in another order, over scores of up to 10. */
const ROUNDING = 1e-4;
/** Of the vocabulary the recipe keeps every so many. */
const EVERY = 7;

const expected = z.object({ rows: z.array(z.array(z.number())), scores: z.array(z.array(z.array(z.number()))) });

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const kept = (scores: readonly number[]): readonly number[] => scores.filter((_, id) => id % EVERY === 0);

const wide = { headWidth: 8 };
const plain = { kvHeads: 4, gated: false };

/** What layers have where that is not 4 heads in 2 groups, 4 wide, and 20 gated neurons. */
const others: Readonly<Record<string, object>> = {
  ...{ qwen3: wide, gemma: wide, gemma2: wide, minimind: wide },
  ...{ gpt2: plain, 'gpt2-untied': { ...plain, ffn: 64 }, gpt_neox: plain, 'gpt_neox-serial': plain },
  ...{ opt: plain, 'opt-projected': plain },
};

const differencesOf = (
  found: readonly (readonly (readonly number[])[])[],
  scores: readonly (readonly (readonly number[])[])[],
): readonly number[] =>
  found.flatMap((row, r) =>
    row.flatMap((place, p) => place.map((score, c) => Math.abs(score - (scores[r]?.[p]?.[c] ?? Number.NaN)))),
  );

describe.each(goldenDecoders)('a checkpoint of %s', (name) => {
  it('computes what PyTorch does, is found in its parts, and goes on from what it remembers', async () => {
    const model = await goldenDecoder(name);
    const { rows, scores } = expected.parse(
      JSON.parse(readFileSync(join(goldenFolder, name, 'expected.json'), 'utf8')),
    );
    const differences = differencesOf(await scoresOf(model, rows, kept), scores);
    expect(differences.length).toBe(scores.flat(2).length);
    expect(Math.max(...differences)).toBeLessThan(ROUNDING);
    const anatomy = anatomyOf(model.graph);
    const units = anatomy.layers.map((layer) => layerUnits(model.graph, anatomy, layer));
    const usual = { heads: 4, kvHeads: 2, headWidth: 4, ffn: 20, gated: true };
    expect(units).toMatchObject(Array(2).fill({ ...usual, ...others[name] }));
    // Checked in there: in pieces and behind padding.
    await exportInto(space.folder, name, model, ['fp32']);
  });
});

const scored = z.array(z.array(z.array(z.number())));
const stretched = z
  .array(z.object({ rope_parameters: z.looseObject({ rope_type: z.string() }), scores: scored }))
  .parse(JSON.parse(readFileSync(join(goldenFolder, 'llama', 'stretched.json'), 'utf8')));

/** The golden LLaMA with other words in its config.json. */
const changed = async (changes: object): Promise<Model> => {
  const config = JSON.parse(readFileSync(join(goldenFolder, 'llama', 'config.json'), 'utf8'));
  for (const file of readdirSync(join(goldenFolder, 'llama'))) {
    space.write(`changed/${file}`, readFileSync(join(goldenFolder, 'llama', file)));
  }
  space.write('changed/config.json', JSON.stringify({ ...config, ...changes }));
  return await importFolder(space.path('changed'), { head: 'keep' });
};

it.each(stretched)('positions that $rope_parameters.rope_type stretches are those of PyTorch', async (case_) => {
  const { rope_parameters: rope, scores } = case_;
  const { rows } = expected.parse(JSON.parse(readFileSync(join(goldenFolder, 'llama', 'expected.json'), 'utf8')));
  const { rope_type: type, rope_theta, ...before } = rope;
  for (const said of [
    { rope_parameters: rope },
    { rope_parameters: null, rope_theta, rope_scaling: { type, ...before } },
  ]) {
    const differences = differencesOf(await scoresOf(await changed(said), rows, kept), scores);
    expect(differences.length).toBe(scores.flat(2).length);
    expect(Math.max(...differences)).toBeLessThan(ROUNDING);
  }
});

it.each<readonly [string, object, RegExp]>([
  [
    'with positions of a kind that depends on the text',
    { rope_parameters: { rope_type: 'dynamic', factor: 2 } },
    /rope_type.*"dynamic"/,
  ],
  [
    'without what stretches positions',
    { rope_parameters: { rope_type: 'llama3', factor: 8 } },
    /rope_parameters\.low_freq_factor: expected a number, which this rope_type needs/,
  ],
  [
    'whose groups are no whole number',
    { num_key_value_heads: 3 },
    /num_key_value_heads is 3; expected a divisor of 4 heads/,
  ],
  [
    'made for something else',
    { architectures: ['LlamaForSequenceClassification'] },
    /LlamaForSequenceClassification, a head that decant does not know/,
  ],
])('of a decoder %s is refused', async (_, changes, message) => {
  await expect(changed(changes)).rejects.toThrow(message);
});
