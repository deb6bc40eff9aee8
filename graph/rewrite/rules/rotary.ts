import type { GraphBuilder } from '../../builder.ts';
import { type Graph, indexOf, type Value } from '../../graph.ts';
import { elementCount, numbersOf } from '../../tensor.ts';
import { any, node } from '../pattern.ts';
import { defineRule, type Held, held, type Place } from '../rule.ts';
import { rotarySamples } from './rotary-samples.ts';
import { intOf, near, typeOf } from './shared.ts';

const pattern = node('Add', [
  node('Mul', [any('x'), any('cosine')]),
  node('Mul', [node('Concat', [any('second'), any('first')], 'swap'), any('sine')]),
]);

/** How the second half of the last axis follows from the first: equal, of the other sign, or neither. */
type Halves = 'equal' | 'opposite' | undefined;

const halvesOfNumbers = (numbers: readonly number[]): Halves => {
  const half = numbers.length / 2;
  const [first, second] = [numbers.slice(0, half), numbers.slice(half)];
  if (first.every((number, i) => number === second[i])) return 'equal';
  return first.every((number, i) => near(-number, second[i] ?? Number.NaN)) ? 'opposite' : undefined;
};

/** Products of what is equal or opposite are so, too; so is a cosine of it, and a sine of what is equal. */
const halvesOf = (graph: Graph, at: Value): Halves => {
  const tensor = graph.weights.get(at);
  if (typeOf(graph, at)?.shape?.at(-1) === 1 || (tensor !== undefined && elementCount(tensor.dims) === 1))
    return 'equal';
  if (tensor !== undefined) return tensor.dims.length === 1 ? halvesOfNumbers(numbersOf(tensor)) : undefined;
  const { op, inputs = [] } = indexOf(graph).producer.get(at) ?? {};
  const halves = inputs.map((input) => (input === null ? undefined : halvesOf(graph, input)));
  if (halves.includes(undefined)) return undefined;
  const odd = halves.filter((one) => one === 'opposite').length % 2 === 1;
  if (op === 'Mul') return odd ? 'opposite' : 'equal';
  return (op === 'Cos' || op === 'Sin') && !odd ? 'equal' : undefined;
};

/** Heads side by side, where x (batch, sequence, heads, width) was only split into them. */
const flatOf = (graph: Graph, x: Value, width: number): Value | undefined => {
  const { op, inputs: [flat] = [] } = indexOf(graph).producer.get(x) ?? {};
  const shape = flat == null ? undefined : typeOf(graph, flat)?.shape;
  return flat != null && op === 'Reshape' && shape?.length === 3 && shape[2] === width ? flat : undefined;
};

interface Facts {
  readonly heads: number;
  readonly width: number;
  readonly flat: Value | undefined;
}

/** Kernels turn heads of such widths. */
const STEP = 8;

const isSwapped = ({ graph, value, node: found }: Place): boolean => {
  const split = indexOf(graph).producer.get(value('first'));
  const [first, second] = split?.outputs ?? [];
  const takes = split?.op === 'Split' && split.inputs[0] === value('x') && split.outputs.length === 2;
  const last = [-1, 3];
  return (
    takes &&
    split.inputs.length === 1 &&
    first === value('first') &&
    second === value('second') &&
    [split, found('swap')].every((one) => last.includes(intOf(one, 'axis', 0)))
  );
};

const when = (place: Place): Facts | Held => {
  const { graph, value } = place;
  const type = typeOf(graph, value('x'));
  const [, , heads, width] = type?.shape ?? [];
  if (type?.dtype !== 'float32' || type.shape?.length !== 4 || typeof heads !== 'number' || typeof width !== 'number')
    return held('heads and their width are not known');
  if (width % STEP !== 0) return held(`a head is no multiple of ${STEP} wide`);
  if (!isSwapped(place)) return held('what is swapped are not the halves of what is turned');
  const wanted = [...type.shape.slice(0, 2), 1, width].join();
  if (['cosine', 'sine'].some((name) => typeOf(graph, value(name))?.shape?.join() !== wanted))
    return held('angles are not those of each position of each text');
  if (halvesOf(graph, value('cosine')) !== 'equal' || halvesOf(graph, value('sine')) !== 'opposite')
    return held('the halves are not turned by one angle');
  return { heads, width, flat: flatOf(graph, value('x'), heads * width) };
};

/** What all that is turned by the same angles reads: a row of cosines and one of sines a position, and its number. */
interface Tables {
  readonly positions: Value;
  readonly cosines: Value;
  readonly sines: Value;
}

const made = new WeakMap<GraphBuilder, Map<string, Tables>>();

const tablesOf = (builder: GraphBuilder, [cosine, sine]: readonly [Value, Value], width: number): Tables => {
  const known = made.get(builder) ?? new Map<string, Tables>();
  made.set(builder, known);
  const key = `${cosine} ${sine}`;
  const own = known.get(key) ?? newTables(builder, [cosine, sine], width);
  known.set(key, own);
  return own;
};

const newTables = (builder: GraphBuilder, [cosine, sine]: readonly [Value, Value], width: number): Tables => {
  const half = width / 2;
  const rows = (of: Value, from: number): Value => {
    const slice = builder.op('Slice', [of, ...[from, from + half, 3].map((number) => builder.ints([number]))]);
    return builder.op('Reshape', [slice, builder.ints([-1, half])]); // (batch * sequence, width / 2)
  };
  const shape = builder.op('Shape', [cosine], { start: 0, end: 2 });
  const [zero, one] = [0, 1].map((number) => builder.scalar('int64', number));
  if (zero === undefined || one === undefined) throw new Error('two numbers were made');
  const count = builder.op('ReduceProd', [shape], { keepdims: 0 });
  const positions = builder.op('Reshape', [builder.op('Range', [zero, count, one]), shape], { allowzero: 1 }); // (batch, sequence)
  return { positions, cosines: rows(cosine, 0), sines: rows(sine, half) };
};

/**
 * Rotary positions (Su et al. 2021, 2104.09864) as one operator, which reads tables: they are made of the angles that the graph
 * worked out, a row a position of each text. Turning one token of eight layers is 112 small kernels otherwise.
 */
export const rotary = defineRule<Facts>({
  name: 'rotary',
  pattern,
  when,
  replace: (builder, place, { heads, width, flat }, output) => {
    const own = place.value('x');
    const x = flat ?? builder.op('Reshape', [own, builder.ints([0, 0, heads * width])]);
    const { positions, cosines, sines } = tablesOf(builder, [place.value('cosine'), place.value('sine')], width);
    const turned = builder.op('com.microsoft:RotaryEmbedding', [x, positions, cosines, sines], { num_heads: heads });
    return builder.op('Reshape', [turned, builder.ints([0, 0, heads, width])], {}, output);
  },
  ...rotarySamples,
});
