import { describe, expect, it } from 'vitest';
import { cpuEngine, runtimeVersion } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { type DType, newArray } from '../../graph/tensor.ts';

const doubling = (): Graph => {
  const builder = new GraphBuilder('doubling');
  const x = builder.input('x', 'float32', [symbol('batch'), 2]);
  return builder.freeze([builder.op('Add', [x, x], {}, 'y'), builder.op('Neg', [x], {}, 'z')]);
};

const passing = (dtype: DType): Graph => {
  const builder = new GraphBuilder(`passing-${dtype}`);
  return builder.freeze([builder.op('Identity', [builder.input('x', dtype, [3])], {}, 'y')]);
};

const x = { dtype: 'float32', dims: [1, 2], data: Float32Array.of(3, 4) } as const;

describe('the ONNX Runtime engine', () => {
  it('writes outputs into the arrays that it is given, and allocates the others', async () => {
    const program = await cpuEngine.compile(doubling(), { threads: 1 });
    const y = { dtype: 'float32', dims: [1, 2], data: new Float32Array(2) } as const;
    const outputs = await program.run({ x }, { y });
    expect([...y.data]).toEqual([6, 8]);
    expect(outputs.y?.data).toBe(y.data);
    expect(Array.from(outputs.z?.data ?? [], Number)).toEqual([-3, -4]);
    await program.release();
  });

  it.each(['float32', 'float64', 'float16', 'int8', 'int32', 'int64', 'uint8', 'bool'] as const)(
    'passes %s elements through unchanged',
    async (dtype) => {
      const data = newArray(dtype, 3);
      new Uint8Array(data.buffer).set([1, 0, 1]);
      const program = await cpuEngine.compile(passing(dtype), { threads: 1 });
      const { y } = await program.run({ x: { dtype, dims: [3], data } });
      expect(y?.dtype).toBe(dtype);
      expect(y?.data).toEqual(data);
      await program.release();
    },
  );

  it('refuses elements that do not fill the shape, naming the input', async () => {
    const program = await cpuEngine.compile(doubling(), { threads: 1 });
    const short = { ...x, data: Float32Array.of(3) };
    await expect(program.run({ x: short })).rejects.toThrow("'x' is no float32 tensor of [1, 2]");
    await program.release();
  });

  it('says which graph the runtime refused', async () => {
    const builder = new GraphBuilder('broken');
    const given = builder.input('x', 'float32', [2]);
    builder.add({ op: 'NoSuchOperator', domain: '', name: 'n', inputs: [given], outputs: [given], attrs: {} });
    const compiled = cpuEngine.compile(builder.freeze([given]), { threads: 1 });
    await expect(compiled).rejects.toThrow("ONNX Runtime refused the graph 'broken'");
  });

  it('may be released twice and runs nothing afterwards', async () => {
    const program = await cpuEngine.compile(doubling(), { threads: 1 });
    await program.release();
    await program.release();
    await expect(program.run({ x })).rejects.toThrow('the program was released');
  });

  it('knows its version', () => {
    expect(runtimeVersion).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
