import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { withCache } from '../../models/cache.ts';
import { readModel } from '../../models/files.ts';
import { withGroupedAttention } from '../../models/grouped.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import type { Model } from '../../models/model.ts';
import { asItDecodes } from '../../stages/export/decoding.ts';
import { isNear, scoresThroughout } from '../../stages/export/remembered.ts';
import { exportInto } from '../clients/rig.ts';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';
import { goldenFolder } from './golden.ts';
import { tinyDecoder } from './tiny.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const ids = Int32Array.from({ length: 9 }, (_, i) => (1 + 7 * i) % 60);

const remembering = (model: Model): Model => withCache({ ...model, graph: fuseForInference(model.graph) });

const scoresOf = async (model: Model): Promise<Float32Array> => {
  const program = await cpuEngine.compile(model.graph, { threads: 1 });
  const scores = await scoresThroughout(program, model, ids);
  await program.release();
  return scores;
};

const countOf = ({ nodes }: Graph, op: string): number => nodes.filter((node) => node.op === op).length;

const qwen3 = () => importFolder(join(goldenFolder, 'qwen3'), { head: 'keep' });

describe('attention of a decoder as one operator', () => {
  it.each<readonly [string, () => Model | Promise<Model>]>([
    ['heads in groups', () => tinyDecoder()],
    ['keys of its own for each head', () => tinyDecoder({ kvHeads: 4 })],
    ['heads that are normalised', qwen3],
  ])('says what it says in pieces, of a prompt, behind it and behind padding: %s', async (_, made) => {
    const pieces = remembering(await made());
    const grouped = withGroupedAttention(pieces);
    expect([countOf(grouped.graph, 'GroupQueryAttention'), countOf(grouped.graph, 'RotaryEmbedding')]).toEqual([2, 4]);
    expect([countOf(grouped.graph, 'Softmax'), countOf(grouped.graph, 'Sin')]).toEqual([0, 1]);
    const wanted = await scoresOf(pieces);
    expect(isNear(await scoresOf(grouped), wanted)).toBe(true);
    expect(
      isNear(
        wanted.map((score) => score * 1.001),
        wanted,
      ),
    ).toBe(false);
  });

  it('stays in pieces for heads of a width that no kernel takes', async () => {
    const pieces = withCache(await importFolder(join(goldenFolder, 'llama'), { head: 'keep' }));
    expect(withGroupedAttention(pieces)).toBe(pieces);
  });

  it('stays in pieces at export where it would say something else: tokens that see what follows', async () => {
    const pieces = remembering(tinyDecoder());
    const nodes = pieces.graph.nodes.map((node) =>
      node.op === 'LessOrEqual' ? { ...node, op: 'GreaterOrEqual' } : node,
    );
    const ahead = { ...pieces, graph: { ...pieces.graph, nodes } };
    expect(withGroupedAttention(ahead)).not.toBe(ahead);
    expect(await asItDecodes(ahead, ids, 1)).toBe(ahead);
    expect(await asItDecodes(pieces, ids, 1)).not.toBe(pieces);
  });

  it('is what a folder ships in each format, and can be cut there again', async () => {
    const formats = ['fp32', 'q8', 'q4'] as const;
    const folder = await exportInto(space.folder, 'deploy', tinyDecoder(), formats);
    for (const precision of formats)
      expect(countOf((await readModel(folder, { precision })).graph, 'GroupQueryAttention')).toBe(2);
    const made = await decant(['prune', 'deploy', '--keep-heads', '50%', '-o', 'slim'], { cwd: space.folder });
    expect(made).toMatchObject({ code: 0 });
    const slim = await readModel(space.path('slim'), { precision: 'fp32' });
    expect(slim.info.signature.states[0]?.axes).toEqual(['batch', 1, 'past', 8]);
    expect(slim.info.dimensions).toMatchObject({ heads: 2, kvHeads: 1 });
  });
});
