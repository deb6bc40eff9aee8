import { z } from 'zod';
import type { HostTensor } from '../../engine/engine.ts';
import { fitsShape } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { type DType, dtypeBits, elementCount, newArray } from '../../graph/tensor.ts';
import { requestError } from '../diagnostic.ts';
import { jsonIn } from './json-request.ts';
import type { Inputs, TensorData } from './types/graphs.ts';

const isDType = (name: string): name is DType => Object.hasOwn(dtypeBits, name);

const expectFitting = (graph: Graph, name: Value, { dtype, dims, data }: TensorData): DType => {
  const type = graph.types.get(name);
  if (!isDType(dtype) || dtype !== type?.dtype)
    throw requestError(`the input '${name}' is ${type?.dtype ?? 'of no known type'}; ${dtype} was given`);
  const { shape = dims } = type;
  if (!fitsShape(dims, shape))
    throw requestError(`the input '${name}' is [${shape.join(', ')}]; [${dims.join(', ')}] was given`);
  if (data.length === elementCount(dims)) return dtype;
  throw requestError(
    `the input '${name}': [${dims.join(', ')}] has ${elementCount(dims)} elements; ${data.length} were given`,
  );
};

const tensorFrom = (graph: Graph, name: Value, given: TensorData): HostTensor => {
  const dtype = expectFitting(graph, name, given);
  const data = newArray(dtype, given.data.length);
  for (let i = 0; i < data.length; i++) {
    const element = given.data[i] ?? 0;
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(element);
    else data[i] = Number(element);
  }
  return { dtype, dims: given.dims, data };
};

/** What a graph is fed, checked against the types of its inputs. */
export const feedsFrom = (graph: Graph, given: Inputs): Readonly<Record<string, HostTensor>> => {
  const known: ReadonlySet<string> = new Set(graph.inputs);
  const strange = Object.keys(given).find((name) => !known.has(name));
  if (strange !== undefined) throw requestError(`there is no input '${strange}'; expected ${graph.inputs.join(', ')}`);
  return Object.fromEntries(
    graph.inputs.map((name) => {
      const tensor = given[name];
      if (tensor === undefined)
        throw requestError(`the input '${name}' is missing; expected ${graph.inputs.join(', ')}`);
      return [name, tensorFrom(graph, name, tensor)];
    }),
  );
};

const tensor = z.strictObject({
  dtype: z.string(),
  dims: z.array(z.int().min(0)),
  data: z.array(z.number()),
});
const inputs = z.record(z.string(), tensor);
const shapes = z.union([inputs, z.array(inputs).min(1)]);

const example = '{ "tokens": { "dtype": "int64", "dims": [1, 3], "data": [7, 8, 9] } }';

/** Inputs of one shape or several, as they are given or as a file has them. */
export const inputsFrom = (given: Inputs | readonly Inputs[] | string): readonly Inputs[] => {
  if (typeof given !== 'string') return isList(given) ? given : [given];
  const parsed = shapes.safeParse(jsonIn(given, `inputs as ${example}`));
  if (!parsed.success) throw requestError(`${given}: holds no inputs; expected ${example}, or a list of such`);
  return Array.isArray(parsed.data) ? parsed.data : [parsed.data];
};

const isList = (given: Inputs | readonly Inputs[]): given is readonly Inputs[] => Array.isArray(given);
