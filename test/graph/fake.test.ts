import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { symbol } from '../../graph/dim.ts';
import { type Value, value } from '../../graph/graph.ts';
import { emitFake, type Rules } from '../../graph/quantize/fake/emit.ts';
import { emitFakeRows, emitFakeWeight, type FakeWeight } from '../../graph/quantize/fake/weight.ts';
import { type Grid, type Layout, type Rounded, rowsOf, widened } from '../../graph/quantize/grid.ts';
import { nearest } from '../../graph/quantize/nearest.ts';
import { elementCount, tensorOf } from '../../graph/tensor.ts';

/** Float32 beside float64: a few roundings of 6e-8. */
const ROUNDINGS = 1e-5;

const numbers = (count: number, seed: number, zeros = 0): Float32Array<ArrayBuffer> => {
  const random = stream(seed, 'fake');
  return Float32Array.from({ length: count }, () => (random.uniform() < zeros ? 0 : random.normal()));
};

interface Case {
  readonly dims: readonly [number, number];
  readonly layout: Layout;
  readonly grid: Grid;
  readonly seed: number;
}

const cases = fc.record<Case>({
  dims: fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 })),
  layout: fc.constantFrom<Layout>('as it is', 'turned'),
  grid: fc.record({
    bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
    block: fc.constantFrom(16, 32),
    zeroPoint: fc.boolean(),
  }),
  seed: fc.nat(1000),
});

const runs = { numRuns: 25 };

const blocks = ({ layout, grid }: Case): FakeWeight => ({ form: 'blocks', layout, grid });

const rowsIn = ({ dims, layout }: Pick<Case, 'dims' | 'layout'>, w: Float32Array<ArrayBuffer>) =>
  rowsOf(tensorOf('float32', dims, w), layout);

/** Where row and place of a number of the matrix stand. */
const placeOf = ({ dims, layout }: Case, i: number): readonly [row: number, place: number] => {
  const [first, second] = [Math.floor(i / dims[1]), i % dims[1]];
  return layout === 'turned' ? [second, first] : [first, second];
};

/** Rounded rows as the matrix that they are of. */
const matrixFrom = (one: Case, rounded: Rounded): Float32Array => {
  const rows = rowsIn(one, new Float32Array(elementCount(one.dims)));
  const wide = widened(rows, one.grid, rounded);
  return Float32Array.from(wide, (_, i) => {
    const [row, place] = placeOf(one, i);
    return wide[row * rows.width + place] as number;
  });
};

type Given = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>>;

/** y of what is given, and the gradients of the sum of c y. */
const ran = async (
  given: Given,
  emit: (builder: GraphBuilder, rules: Rules) => Value,
): Promise<(name: string) => Float32Array> => {
  const builder = new GraphBuilder('fake');
  for (const [name, { dims }] of Object.entries(given)) builder.input(name, 'float32', dims);
  const rules: Rules = new Map();
  const y = emit(builder, rules);
  const loss = builder.op('ReduceSum', [builder.op('Mul', [y, value('c')])], { keepdims: 0 });
  const asked = Object.keys(given).flatMap((name) => (name === 'c' ? [] : [value(name)]));
  const found = differentiate(builder, loss, asked, {
    ruleAt: ({ outputs: [made] }) => (made === undefined ? undefined : rules.get(made)),
  });
  const out = (own: Value, name: string): Value => builder.op('Identity', [own], {}, value(name));
  const outputs = [out(y, 'y'), ...[...found].map(([name, gradient]) => out(gradient, `d${name}`))];
  const program = await cpuEngine.compile(builder.freeze(outputs), { threads: 1, memory: 'pooled' });
  const fed = Object.entries(given).map(([name, one]) => [name, { dtype: 'float32', ...one }] as const);
  const made = await program.run(Object.fromEntries(fed));
  await program.release();
  return (name) => {
    const data = made[name]?.data;
    if (!(data instanceof Float32Array)) throw new Error(`no '${name}'`);
    return data;
  };
};

const near = (a: ArrayLike<number>, b: ArrayLike<number>, size = 1): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) {
    expect(Math.abs((a[i] as number) - (b[i] as number))).toBeLessThanOrEqual(ROUNDINGS * size);
  }
};

const weightIn = (one: Case, w: Float32Array<ArrayBuffer>, c: Float32Array<ArrayBuffer> = w) =>
  ran(
    { w: { dims: one.dims, data: w }, c: { dims: one.dims, data: c } },
    (emit, rules) => emitFakeWeight({ emit, rules }, value('w'), one.dims, blocks(one)).value,
  );

describe('numbers that are read as whole ones', () => {
  it('pass gradients on where nothing is clipped, and teach steps by the formula of learned step sizes', async () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 5 }),
      most: fc.constantFrom(3, 15, 255),
      zero: fc.nat(2),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ rows, most, zero, seed }) => {
        const width = 16;
        const [x, c] = [numbers(rows * width, seed), numbers(rows * width, seed + 1)];
        // A range of two deviations: some numbers lie beyond.
        const scales = Float32Array.from({ length: rows }, (_, row) => (2 + row) / most);
        const given = { x: { dims: [rows, width], data: x }, c: { dims: [rows, width], data: c } };
        const made = await ran({ ...given, s: { dims: [rows, 1], data: scales } }, (emit, rules) => {
          const zeros = emit.scalar('float32', zero);
          return emitFake(emit, value('x'), { scales: value('s'), zeros }, [0, most], rules).value;
        });
        const [y, dx, ds] = [new Float64Array(x.length), new Float64Array(x.length), new Float64Array(rows)];
        for (const [i, own] of x.entries()) {
          const row = Math.floor(i / width);
          const [scale, by] = [scales[row] as number, c[i] as number];
          const exact = Math.fround(own / scale);
          // Of two whole numbers that are as near the even one, as ONNX's Round.
          const whole = Math.abs(exact % 1) === 0.5 ? 2 * Math.round(exact / 2) : Math.round(exact);
          const code = Math.max(0, Math.min(most, whole + zero));
          const isClipped = code !== whole + zero;
          y[i] = scale * (code - zero);
          dx[i] = isClipped ? 0 : by;
          ds[row] = (ds[row] as number) + by * (isClipped ? code - zero : code - zero - own / scale);
        }
        near(made('y'), y, 10);
        near(made('dx'), dx);
        near(made('ds'), ds, most);
      }),
      runs,
    );
  });
});

describe('a weight that is read as it will be stored', () => {
  it('is what the file stands for, in blocks of whichever size and layout', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const w = numbers(elementCount(one.dims), one.seed, 0.2);
        const y = (await weightIn(one, w))('y');
        const wanted = matrixFrom(one, nearest(rowsIn(one, w), one.grid, { search: false }));
        for (const [i, x] of w.entries()) {
          const [own, theirs] = [y[i] as number, wanted[i] as number];
          // A number halfway between two may go either way: then both are as near.
          if (Math.abs(own - theirs) > ROUNDINGS) expect(Math.abs(own - x)).toBeCloseTo(Math.abs(theirs - x), 4);
          if (x === 0) expect(Math.abs(own)).toBe(0);
        }
      }),
      runs,
    );
  });

  it('has the gradient of what reads it, but for what lies beyond its range', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const count = elementCount(one.dims);
        const [w, c] = [numbers(count, one.seed), numbers(count, one.seed + 1)];
        const made = await weightIn(one, w, c);
        const [y, dw] = [made('y'), made('dw')];
        for (const [i, x] of w.entries()) {
          const isCut = dw[i] === 0 && Math.abs(y[i] as number) < Math.abs(x);
          if (!isCut) expect(dw[i]).toBeCloseTo(c[i] as number, 5);
        }
        // Ranges hold all numbers, so that little is cut.
        expect(dw.filter((x) => x !== 0).length).toBeGreaterThan(0.7 * count - 2);
      }),
      runs,
    );
  });

  it.each([0, 1] as const)('has a step for all numbers along axis %i where a file holds bytes', async (along) => {
    const w = numbers(7 * 5, 3, 0.3);
    const one = { dims: [7, 5], data: w } as const;
    const made = await ran(
      { w: one, c: one },
      (emit, rules) => emitFakeWeight({ emit, rules }, value('w'), [7, 5], { form: 'bytes', limit: 127, along }).value,
    );
    const groupOf = (i: number): number => (along === 0 ? i % 5 : Math.floor(i / 5));
    const wanted = w.map((x, i) => {
      const step = Math.max(...w.filter((_, j) => groupOf(j) === groupOf(i)).map(Math.abs)) / 127;
      return Math.round(x / step) * step;
    });
    near(made('y'), wanted);
    near(made('dw'), w);
  });
});

describe('rows of a table that is read as it will be stored', () => {
  it.each(['blocks', 'bytes'] as const)('are those of the whole table (%s)', async (form) => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const table: Case = { ...one, layout: 'as it is' };
        const weight = form === 'blocks' ? blocks(table) : ({ form, limit: 127, along: 0 } as const);
        const builder = new GraphBuilder('rows');
        const given = builder.input('w', 'float32', one.dims);
        const ids = builder.input('ids', 'int64', [symbol('texts'), symbol('tokens')]);
        const found = builder.op('Gather', [given, ids], { axis: 0 });
        const emission = { emit: builder, rules: new Map() };
        const rows = emitFakeRows(emission, found, { table: given, dims: one.dims, ids }, weight);
        const all = emitFakeWeight(emission, given, one.dims, weight).value;
        const outputs = [
          builder.op('Identity', [rows], {}, 'rows'),
          builder.op('Gather', [all, ids], { axis: 0 }, 'wanted'),
        ];
        const program = await cpuEngine.compile(builder.freeze(outputs), { threads: 1, memory: 'pooled' });
        const data = BigInt64Array.from({ length: 6 }, (_, i) => BigInt((one.seed + i * 7) % one.dims[0]));
        const made = await program.run({
          w: { dtype: 'float32', dims: one.dims, data: numbers(elementCount(one.dims), one.seed) },
          ids: { dtype: 'int64', dims: [2, 3], data },
        });
        await program.release();
        expect(made.rows).toEqual(made.wanted);
      }),
      runs,
    );
  });
});
