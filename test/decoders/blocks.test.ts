import { afterAll, describe, expect, it } from 'vitest';
import { intAttr } from '../../graph/ops/shared-structure.ts';
import type { Model } from '../../models/model.ts';
import { generateText } from '../../pipeline/api/generate.ts';
import { exportModels } from '../../stages/export/folder.ts';
import { config } from '../../stages/quantize/config.ts';
import { quantizeModel } from '../../stages/quantize/work.ts';
import { clientModel } from '../clients/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { tinyDecoder } from './tiny.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const context = { threads: 1, signal: new AbortController().signal, onProgress: () => {} };

/** A model in blocks of 16, whatever its size. */
const stored = async (model: Model, options: object): Promise<Model> => {
  const given = config.parse({ format: 'q4', rounding: 'nearest', block: 16, ...options });
  return (await quantizeModel(model, given, undefined, context, { minimumElements: 1, minimumTable: 1 })).model;
};

/** What products in blocks ask for. */
const levelsOf = ({ graph }: Model): ReadonlySet<number> =>
  new Set(graph.nodes.flatMap((node) => (node.op === 'MatMulNBits' ? [intAttr(node, 'accuracy_level', 0)] : [])));

const [floats, eightBits] = [new Set([0]), new Set([4])];

describe('products of a decoder in blocks', () => {
  it.each(['q4', 'q8-blocks', 'q2'] as const)('read activations in 8 bits where nobody says: %s', async (format) => {
    expect(levelsOf(await stored(tinyDecoder(), { format }))).toEqual(eightBits);
  });

  it('read floats where that is asked for, as those of encoders do', async () => {
    expect(levelsOf(await stored(tinyDecoder(), { activations: 'float' }))).toEqual(floats);
    expect(levelsOf(await stored(clientModel('features'), {}))).toEqual(floats);
    expect(levelsOf(await stored(clientModel('features'), { activations: 'int8' }))).toEqual(eightBits);
  });

  it('are exported as they were judged, and write', async () => {
    space.write('deploy/x', '');
    await exportModels(space.path('deploy'), new Map([['q4', await stored(tinyDecoder(), {})]]), {
      ...{ threads: 1, results: '' },
    });
    const made = await generateText(space.path('deploy'), 'the old dog', { tokens: 5, threads: 1 }, () => {});
    expect(made.written.tokens).toBe(4);
  });

  it('are nothing that another format has', () => {
    const found = config.safeParse({ format: 'int8', activations: 'int8' });
    expect(found.error?.issues[0]?.message).toMatch(/^the format int8 stores no blocks: leave activations out/);
  });
});
