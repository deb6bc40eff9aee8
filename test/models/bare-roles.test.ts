import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Roles, readBare, rolesOf, sampleFeeds } from '../../models/bare/index.ts';
import { renamed } from '../rig/renamed.ts';
import * as graphs from './bare-graphs.ts';

const folder = join(import.meta.dirname, '../golden/exports');
const files = readdirSync(folder).filter((file) => file.endsWith('.onnx'));

/** What the names of inputs say in files whose names say something. */
const named: Readonly<Record<string, string>> = {
  ...{ input_ids: 'tokens', attention_mask: 'mask', token_type_ids: 'segments', pixel_values: 'pixels' },
};

const rolesByName = ({ inputs }: Roles) => Object.fromEntries(inputs.map(({ name, role }) => [name, role]));

const kindsOf = (roles: Roles, name: string) =>
  roles.inputs.find((input) => input.name === name)?.axes.map(({ kind }) => kind);

/** Sizes of the answer for a batch of some size. */
const run = async (graph: Graph, batch: number, sequence: number) => {
  const roles = rolesOf(graph);
  const feeds = sampleFeeds(roles, { batch, sequence, seed: 3 });
  const program = await cpuEngine.compile(graph, { threads: 1 });
  try {
    const answer = (await program.run(feeds))[roles.answer ?? ''];
    expect(Array.from(answer?.data ?? [Number.NaN], Number).every(Number.isFinite)).toBe(true);
    return answer?.dims;
  } finally {
    await program.release();
  }
};

describe.each(files)('of the export %s', (file) => {
  it('every input has the role that its name says, under any name', async () => {
    const graph = await readBare(join(folder, file));
    const roles = rolesOf(graph);
    expect(rolesByName(roles)).toEqual(Object.fromEntries(graph.inputs.map((name) => [name, named[name]])));
    expect(rolesOf(renamed(graph, true)).inputs.map(({ role }) => role)).toEqual(roles.inputs.map(({ role }) => role));
  });

  it('the answer is known, and what is made up for it runs at two sizes', async () => {
    const graph = await readBare(join(folder, file));
    const { answer, outputs } = rolesOf(graph);
    expect([answer, outputs.find(({ name }) => name === answer)?.role]).toEqual(['logits', 'scores']);
    for (const [batch, sequence] of [
      [2, 7],
      [3, 5],
    ] as const)
      expect((await run(graph, batch, sequence))?.[0]).toBe(batch);
  });
});

describe('the longest sequence', () => {
  it.each([
    ['bert-dy', 20],
    ['bert-ts', 20],
    ['roberta-dy', 19],
    ['mpnet-dy', 18],
    ['gpt2-ts', 20],
    ['modernbert-dy', undefined],
    ['llama-ts', undefined],
  ])('of %s is what its table of positions has room for: %s', async (name, longest) => {
    expect(rolesOf(await readBare(join(folder, `${name}.onnx`))).longest).toBe(longest);
  });

  it('is not passed by what is made up', async () => {
    expect(await run(await readBare(join(folder, 'mpnet-dy.onnx')), 2, 500)).toEqual([2, 3]);
  });
});

describe('of a decoder', () => {
  const graph = graphs.decoder();
  const roles = rolesOf(graph);

  it('states go in and out, masks are about all positions, and what chooses among results is no part of them', () => {
    expect(rolesByName(roles)).toEqual({
      ...{ input_ids: 'tokens', attention_mask: 'mask', position_ids: 'positions', logits_to_keep: 'spare' },
      ...{ 'past.key': 'past', 'past.value': 'past' },
    });
    expect(kindsOf(roles, 'attention_mask')).toEqual(['batch', 'total']);
    expect(kindsOf(roles, 'past.key')).toEqual(['batch', 'width', 'past', 'width']);
    expect(roles.states).toEqual([
      { past: 'past.key', present: 'present.key' },
      { past: 'past.value', present: 'present.value' },
    ]);
    expect(roles.outputs.map(({ role }) => role)).toEqual(['scores', 'present', 'present']);
  });

  it('the same is found under any name', () => {
    const other = rolesOf(renamed(graph, true));
    expect(other.inputs.map(({ role }) => role)).toEqual(roles.inputs.map(({ role }) => role));
    expect(other.states.every(({ present }) => present !== undefined)).toBe(true);
  });

  it('positions go on behind those that are remembered, and it runs', async () => {
    const feeds = sampleFeeds(roles, { batch: 2, sequence: 4, seed: 1, past: 5 });
    expect(feeds.attention_mask?.dims).toEqual([2, 9]);
    expect(Array.from(feeds.position_ids?.data ?? [], Number)).toEqual([5, 6, 7, 8, 5, 6, 7, 8]);
    expect(await run(graph, 2, 4)).toEqual([2, 4, 30]);
  });

  it('of two ways inside it both are looked at', async () => {
    const two = graphs.merged();
    const found = rolesOf(two);
    expect(rolesByName(found)).toEqual({ input_ids: 'tokens', 'past.key': 'past', use_cache_branch: 'flag' });
    expect(found.states).toEqual([{ past: 'past.key', present: 'present.key' }]);
    expect(await run(two, 2, 4)).toEqual([2, 4, 8]);
  });
});

describe('of two sequences', () => {
  it('the states of an encoder are as wide as the matrix that they meet', async () => {
    const graph = graphs.crossDecoder();
    const roles = rolesOf(graph);
    expect(rolesByName(roles)).toEqual({
      ...{ input_ids: 'tokens', encoder_attention_mask: 'mask', encoder_hidden_states: 'hidden' },
    });
    expect(kindsOf(roles, 'encoder_attention_mask')).toEqual(['batch', 'source']);
    expect(roles.inputs.find(({ role }) => role === 'hidden')?.axes.at(-1)).toEqual({ kind: 'width', size: 8 });
    expect(await run(graph, 2, 4)).toEqual([2, 4, 30]);
  });

  it('the answer is about that of the decoder', async () => {
    const graph = graphs.encoderDecoder();
    for (const one of [graph, renamed(graph, true)]) {
      const { inputs } = rolesOf(one);
      expect(inputs.map(({ role, axes }) => [role, axes.at(-1)?.kind])).toEqual([
        ['tokens', 'source'],
        ['tokens', 'sequence'],
        ['mask', 'source'],
      ]);
    }
    expect(await run(graph, 3, 4)).toEqual([3, 4, 30]);
  });
});

describe('what is made up', () => {
  it('fits masks that are added and masks of truth values', async () => {
    const graph = graphs.masked();
    const roles = rolesOf(graph);
    expect(rolesByName(roles)).toEqual({ ids: 'tokens', bias: 'mask', kept: 'mask' });
    const feeds = sampleFeeds(roles, { batch: 2, sequence: 3, seed: 1 });
    expect(feeds.bias?.dims).toEqual([2, 1, 3, 3]);
    expect(new Set(Array.from(feeds.bias?.data ?? [], Number))).toEqual(new Set([0, -1e4]));
    expect(Array.from(feeds.kept?.data ?? [], Number)).toEqual([1, 1, 1, 1, 1, 0]);
    expect(await run(graph, 2, 3)).toEqual([2, 3, 8]);
  });

  it('of a sound is as long as its positions', async () => {
    const graph = graphs.sound();
    expect(sampleFeeds(rolesOf(graph), { batch: 2, sequence: 3, seed: 1 }).features?.dims).toEqual([2, 5, 12]);
    expect(await run(graph, 2, 3)).toEqual([2, 6, 8]);
  });

  it('has the sizes that the file gives', async () => {
    const graph = graphs.fixed();
    const roles = rolesOf(graph);
    expect(rolesByName(roles)).toEqual({ a: 'tokens', b: 'segments', c: 'positions' });
    expect(roles.longest).toBe(20);
    expect(await run(graph, 4, 3)).toEqual([1, 6, 8]);
  });

  it('is the same for the same seed, and other for another', () => {
    const graph = graphs.decoder();
    const made = (seed: number) => sampleFeeds(rolesOf(graph), { batch: 2, sequence: 4, seed });
    expect(made(1)).toEqual(made(1));
    expect(made(1)).not.toEqual(made(2));
  });
});
