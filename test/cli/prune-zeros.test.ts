import { cp, mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGraph } from '../../graph/codec/index.ts';
import { sitesOf } from '../../graph/sites.ts';
import { float32Of } from '../../graph/tensor.ts';
import { prune } from '../../pipeline/api/index.ts';
import { decant } from '../rig/cli.ts';
import { writeSmallModels } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const words = ['cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
const run = (...args: readonly string[]) => decant(['prune', ...args], { cwd: space.folder });

beforeAll(async () => {
  await writeSmallModels(space);
  const texts = Array.from({ length: 40 }, (_, i) => `${words[i % 7]} ${words[(i * 3) % 7]} ${words[(i >> 2) % 7]}`);
  space.write('texts.jsonl', texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  await mkdir(space.path('alone'));
  await cp(space.path('student/model.onnx'), space.path('alone/model.onnx'));
});
afterAll(() => space[Symbol.dispose]());

/** Shares of zeros in matrices that are multiplied by, but for the one in front of the answers. */
const shares = async (file: string): Promise<readonly number[]> => {
  const graph = await readGraph(space.path(file));
  return sitesOf(graph).flatMap(({ use, weight, answers }) => {
    const tensor = graph.weights.get(weight);
    if (use.kind !== 'linear' || answers || tensor === undefined) return [];
    const data = float32Of(tensor);
    return [data.filter((w) => w === 0).length / data.length];
  });
};

describe('decant prune', () => {
  it('makes zeros of any graph by its weights alone', async () => {
    const { code, stdout } = await run('alone/model.onnx', '--pattern', '2:4', '-o', 'sparse.onnx', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ pattern: '2:4', saliency: 'magnitude', matrices: 0.5 });
    expect(new Set(await shares('sparse.onnx'))).toEqual(new Set([0.5]));
  });

  it('looks at texts without labels where the saliency reads inputs', async () => {
    const { code, stderr } = await run(
      ...['student', '--sparsity', '0.5', '--saliency', 'sparsegpt', '--data', 'texts.jsonl', '-o', 'seen'],
    );
    expect([code, stderr.includes('Error')]).toEqual([0, false]);
    expect(new Set(await shares('seen/model.onnx'))).toEqual(new Set([0.5]));
    const { stdout } = await decant(['predict', 'seen', '--json'], { cwd: space.folder, input: 'the cat' });
    expect(JSON.parse(stdout)).toHaveLength(1);
  });

  it.each([
    [{ sparsity: '50%', saliency: 'wanda' }, '--saliency: wanda looks at texts; name a file of them with --data'],
    [{ sparsity: '50%', data: 'texts.jsonl' }, '--data: saliency magnitude looks at no texts'],
    [{ sparsity: '50%', saliency: 'fisher' }, '--saliency: fisher learns from labelled texts'],
    [{ pattern: '4:2' }, "--pattern: '4:2' keeps 4 of every 2"],
    [{ pattern: '2:4', keepHeads: 1 }, 'zeros (--sparsity, --pattern) are made in what is left'],
    [{ pattern: '2:7' }, 'pattern 2:7 wants multiples of 1 outputs and 7 inputs'],
  ])('refuses %j with the reason', async (options, reason) => {
    await expect(prune(space.path('student'), space.path('refused'), options)).rejects.toThrow(reason);
  });
});
