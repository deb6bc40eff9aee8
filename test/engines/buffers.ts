import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompileOptions, Engine, Feeds, HostTensor, Program } from '../../engine/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, value } from '../../graph/graph.ts';

const [state, step, next, twice] = ['state', 'step', 'next', 'twice'].map(value) as [Value, Value, Value, Value];
type Value = ReturnType<typeof value>;

const floats = (...data: readonly number[]): HostTensor => ({
  ...{ dtype: 'float32', dims: [data.length], data: Float32Array.from(data) },
});

/** next = state + step, and twice that. */
const counting = (): Graph => {
  const builder = new GraphBuilder('counting');
  const [held, by] = [builder.input(state, 'float32', [2]), builder.input(step, 'float32', [2])];
  const sum = builder.op('Add', [held, by], {}, next);
  return builder.freeze([sum, builder.op('Add', [sum, sum], {}, twice)]);
};

/** Integers as they are counted and looked up. */
const integers = (): Graph => {
  const builder = new GraphBuilder('integers');
  const ids = builder.input('ids', 'int64', [3]);
  const rows = builder.op('Gather', [builder.input('table', 'float32', [4, 2]), ids], {}, 'rows');
  return builder.freeze([rows]);
};

const numbers = (tensor: HostTensor | undefined): readonly number[] => Array.from(tensor?.data ?? [], Number);

const options: CompileOptions = { threads: 1 };

const countingOn = async (engine: Engine) => {
  const held = await engine.buffer(floats(1, 2));
  const program = await engine.compile(counting(), { ...options, stays: [next] });
  program.bind(state, held);
  program.renew(next, held);
  return { held, program };
};

/** What buffers promise: they stay on the device, and programs renew them there. */
export const describeBuffers = (open: () => Promise<Engine>): void => {
  describe('buffers', () => {
    let engine: Engine;
    const programs: Program[] = [];
    const counter = async () => {
      const made = await countingOn(engine);
      programs.push(made.program);
      return made;
    };
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => Promise.all(programs.map((program) => program.release())));

    it('are renewed by every run that reads them', async () => {
      const { held, program } = await counter();
      for (let run = 1; run <= 4; run++) {
        const fetched = await program.run({ step: floats(1, 10) });
        expect(Object.keys(fetched)).toEqual([twice]);
        expect(numbers(fetched.twice)).toEqual([2 * (1 + run), 2 * (2 + 10 * run)]);
      }
      expect(await held.read()).toEqual(floats(5, 42));
    });

    it('keep what they hold where a run is not accepted', async () => {
      const { held, program } = await counter();
      await program.run({ step: floats(1, 1) });
      const seen: Feeds[] = [];
      await program.run({ step: floats(5, 5) }, undefined, (fetched) => {
        seen.push(fetched);
        return false;
      });
      expect(numbers(seen[0]?.twice)).toEqual([14, 16]);
      expect(await held.read()).toEqual(floats(2, 3));
      await program.run({ step: floats(1, 1) }, undefined, () => true);
      expect(await held.read()).toEqual(floats(3, 4));
    });

    it('are written and read any number of times, and what was read stays as it was', async () => {
      const { held, program } = await counter();
      const before = await held.read();
      await held.write(floats(-7, 0.5));
      await program.run({ step: floats(0, 0) });
      const after = await held.read();
      await program.run({ step: floats(1, 1) });
      expect([before, after, await held.read()]).toEqual([floats(1, 2), floats(-7, 0.5), floats(-6, 1.5)]);
    });

    it('take nothing of the arrays that they were made from and written with', async () => {
      const [first, second] = [floats(1, 2), floats(3, 4)];
      const held = await engine.buffer(first);
      first.data.fill(0 as never);
      expect(await held.read()).toEqual(floats(1, 2));
      await held.write(second);
      second.data.fill(0 as never);
      expect(await held.read()).toEqual(floats(3, 4));
      held.release();
    });

    it('are shared by programs: one renews what another reads', async () => {
      const [writer, reader] = [await counter(), await engine.compile(counting(), options)];
      programs.push(reader);
      reader.bind(state, writer.held);
      await writer.program.run({ step: floats(1, 1) });
      const fetched = await reader.run({ step: floats(0, 0) });
      expect(numbers(fetched.next)).toEqual([2, 3]);
      await writer.program.run({ step: floats(1, 1) });
      expect(numbers((await reader.run({ step: floats(0, 0) })).next)).toEqual([3, 4]);
    });

    it('hold integers, and say of what type they are', async () => {
      const ids = await engine.buffer({ dtype: 'int64', dims: [3], data: BigInt64Array.of(3n, 0n, -1n) });
      const table = await engine.buffer({
        dtype: 'float32',
        dims: [4, 2],
        data: Float32Array.from({ length: 8 }, (_, i) => i),
      });
      const program = await engine.compile(integers(), options);
      programs.push(program);
      program.bind(value('ids'), ids);
      program.bind(value('table'), table);
      expect(numbers((await program.run({})).rows)).toEqual([6, 7, 0, 1, 6, 7]);
      expect({ dtype: ids.dtype, dims: ids.dims }).toEqual({ dtype: 'int64', dims: [3] });
      expect(await ids.read()).toEqual({ dtype: 'int64', dims: [3], data: BigInt64Array.of(3n, 0n, -1n) });
    });

    it('are let go of more than once', async () => {
      const held = await engine.buffer(floats(1, 2));
      held.release();
      expect(() => held.release()).not.toThrow();
    });

    it('outlive the programs that made what they hold', async () => {
      // What is given back through something that is gone ends the process, or spoils what lies there now: not each time.
      for (let turn = 0; turn < 20; turn++) {
        const { held, program } = await countingOn(engine);
        await program.run({ step: floats(1, 1) });
        await program.release();
        const other = await counter();
        await other.program.run({ step: floats(3, 3) });
        expect(await held.read()).toEqual(floats(2, 3));
        held.release();
        expect(await other.held.read()).toEqual(floats(4, 5));
      }
    });

    it('belong to one engine', async () => {
      const { program } = await counter();
      const foreign = {
        dtype: 'float32',
        dims: [2],
        write: async () => {},
        read: async () => floats(1, 2),
        release: () => {},
      } as const;
      expect(() => program.bind(state, foreign)).toThrow('another engine');
      expect(() => program.renew(next, foreign)).toThrow('another engine');
    });
  });

  describe('traffic', () => {
    it('is what is fed and fetched, written and read, and nothing of what stays', async () => {
      const engine = await open();
      const start = engine.moved();
      const since = () => ({ up: engine.moved().up - start.up, down: engine.moved().down - start.down });
      const { held, program } = await countingOn(engine);
      expect(since()).toEqual({ up: 8, down: 0 });
      for (let run = 0; run < 3; run++) await program.run({ step: floats(1, 1) });
      expect(since()).toEqual({ up: 8 + 3 * 8, down: 3 * 8 });
      await held.read();
      await held.write(floats(0, 0));
      expect(since()).toEqual({ up: 40, down: 32 });
      await program.release();
    });
  });

  describe('programs', () => {
    it('write outputs into arrays of the caller', async () => {
      const engine = await open();
      const program = await engine.compile(counting(), options);
      const into = { next: floats(0, 0) };
      const fetched = await program.run({ state: floats(1, 2), step: floats(3, 4) }, into);
      expect(fetched.next).toBe(into.next);
      expect([...into.next.data]).toEqual([4, 6]);
      expect(numbers(fetched.twice)).toEqual([8, 12]);
      await program.release();
    });

    it('are released more than once and run no more', async () => {
      const program = await (await open()).compile(counting(), options);
      await Promise.all([program.release(), program.release()]);
      await expect(program.run({ state: floats(1, 2), step: floats(3, 4) })).rejects.toThrow('released');
    });
  });
};
