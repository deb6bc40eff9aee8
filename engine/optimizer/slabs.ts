import type { GraphBuilder } from '../../graph/builder.ts';
import { type Value, value } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import type { StepParameter } from '../step.ts';
import type { UpdateSettings } from './emit-adamw.ts';

export type Parameter = Pick<StepParameter, 'name' | 'dims'>;

/** Parameters that are moved as one, and so have one pair of moments: a large one alone, small ones end to end. */
export interface Slab {
  readonly key: Value;
  readonly parameters: readonly Parameter[];
  /** Those of a parameter alone; else how many elements there are. */
  readonly dims: readonly number[];
  /** Factor of the learning rate. */
  readonly factor: number;
  readonly decays: boolean;
}

/** Up to so many elements, starting a kernel takes longer than its work. */
const SMALL = 2 ** 14;

const decays = ({ dims }: Parameter, { weightDecay }: UpdateSettings): boolean => weightDecay !== 0 && dims.length >= 2;

/** Small parameters of equal rate and decay are laid end to end: a device is then asked for a dozen kernels, not a dozen each. */
export const slabsOf = (parameters: readonly Parameter[], settings: UpdateSettings): readonly Slab[] => {
  const packs = new Map<string, Omit<Slab, 'dims' | 'parameters'> & { readonly parameters: Parameter[] }>();
  for (const parameter of parameters) {
    const { name, dims } = parameter;
    const kind = { factor: settings.factors.get(name) ?? 1, decays: decays(parameter, settings) };
    const own = elementCount(dims) > SMALL ? name : `${kind.factor} ${kind.decays}`;
    const pack = packs.get(own) ?? { key: value(`update/small/${packs.size}`), ...kind, parameters: [] };
    pack.parameters.push(parameter);
    packs.set(own, pack);
  }
  return Array.from(packs.values(), (pack) => {
    const [first, ...rest] = pack.parameters;
    if (first !== undefined && rest.length === 0) return { ...pack, key: first.name, dims: first.dims };
    return { ...pack, dims: [pack.parameters.reduce((sum, { dims }) => sum + elementCount(dims), 0)] };
  });
};

/** What belongs to the parameters of a slab as one value of its dims. */
export const emitJoined = (builder: GraphBuilder, { parameters }: Slab, of: (name: Value) => Value): Value => {
  const [first, ...rest] = parameters;
  if (first !== undefined && rest.length === 0) return of(first.name);
  const flat = parameters.map(({ name, dims }) =>
    dims.length === 1 ? of(name) : builder.op('Reshape', [of(name), builder.ints([-1])]),
  );
  return builder.op('Concat', flat, { axis: 0 });
};

/** The parts of a value of a slab by parameter, of the parameters' own dims. */
export const emitParts = (builder: GraphBuilder, { parameters }: Slab, whole: Value): ReadonlyMap<Parameter, Value> => {
  const parts = new Map<Parameter, Value>();
  let start = 0;
  for (const parameter of parameters) {
    const { dims } = parameter;
    const end = start + elementCount(dims);
    const bounds = [[start], [end], [0]].map((bound) => builder.ints(bound));
    const part = parameters.length === 1 ? whole : builder.op('Slice', [whole, ...bounds]);
    const isFlat = parameters.length === 1 || dims.length === 1;
    parts.set(parameter, isFlat ? part : builder.op('Reshape', [part, builder.ints(dims)]));
    start = end;
  }
  return parts;
};
