import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { unregistered } from '../../engine/engines/onnxruntime/registered.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { readGraph } from '../../graph/codec/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';

/** x through one node of each of these, written as `domain:operator` or `operator`. */
const through = (...operators: readonly string[]): Graph => {
  const builder = new GraphBuilder('asked', { '': 20, 'com.microsoft': 1, elsewhere: 1, 'ai.onnx.ml': 3 });
  const x = builder.input('x', 'float32', [2]);
  return builder.freeze([operators.reduce<Value>((v, operator) => builder.op(operator, [v]), x)]);
};

const namesOf = async (graph: Graph): Promise<readonly string[]> =>
  (await unregistered(graph)).map(({ domain, op }) => `${domain}:${op}`);

describe('operators that nobody knows', () => {
  it('are those that neither decant nor ONNX Runtime knows, once each', async () => {
    const graph = through('Relu', 'Strange', 'com.microsoft:Strange', 'Strange', 'elsewhere:Relu');
    expect(await namesOf(graph)).toEqual([':Strange', 'com.microsoft:Strange', 'elsewhere:Relu']);
  });

  it('are none of the domains of ONNX Runtime, whatever decant knows of them', async () => {
    const graph = through('com.microsoft:QOrderedMatMul', 'com.microsoft:SparseAttention', 'ai.onnx.ml:Scaler', 'Loop');
    expect(await namesOf(graph)).toEqual([]);
  });

  it('are found inside of the bodies of others', async () => {
    const outer = through('If');
    const [node] = outer.nodes;
    const body = { kind: 'graph', value: { ...through('Strange'), inputs: [] } } as const;
    const graph = {
      ...outer,
      nodes: node === undefined ? [] : [{ ...node, attrs: { then_branch: body, else_branch: body } }],
    };
    expect(await namesOf(graph)).toEqual([':Strange']);
  });

  it('are in no file that other tools quantized', async () => {
    const folder = fileURLToPath(new URL('../golden/quantized/', import.meta.url));
    const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect(await namesOf(await readGraph(`${folder}${file}`))).toEqual([]);
  });
});
