import { callOf, inferNode } from '../../../graph/call.ts';
import { type Graph, type Node, opsetOf, readsOf, type Value } from '../../../graph/graph.ts';
import type { Call } from '../../../graph/op.ts';
import {
  type DType,
  elementCount,
  numbersOf as numbersOfTensor,
  type Tensor as Weight,
} from '../../../graph/tensor.ts';
import { engineError } from '../../../ground/errors.ts';
import { hostTensorOf } from '../../host.ts';
import { uploaded } from './border.ts';
import { fused } from './fuse.ts';
import { type Held, numbersOf, tensorOf, typeOf } from './held.ts';
import type { Kernel, Work } from './kernel.ts';
import { kernelOf, lackingIn } from './lacking.ts';
import { type Library, storedAs, type Tensor } from './library.ts';

/** One node, and the values that nothing after it reads. */
export interface Step {
  readonly node: Node;
  readonly kernel: Kernel;
  readonly opset: number;
  readonly types: readonly (DType | undefined)[];
  readonly last: readonly Value[];
}

/** A graph as it runs. */
export interface Plan {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly constants: ReadonlyMap<Value, Held>;
  readonly steps: readonly Step[];
}

/** Shape arithmetic happens on short vectors; anything longer is data. */
const LONGEST_LIST = 64;

const constantOf = (tf: Library, name: Value, weight: Weight): Held => {
  const { dtype, dims } = weight;
  const isShort = (dtype === 'int64' || dtype === 'int32') && elementCount(dims) <= LONGEST_LIST;
  if (isShort) return { kind: 'numbers', dtype, dims, numbers: numbersOfTensor(weight) };
  return { kind: 'tensor', dtype, tensor: tf.keep(uploaded(tf, name, hostTensorOf(weight))) };
};

/** What each node is the last to read, or makes for nobody. */
const lastReads = (graph: Graph): readonly (readonly Value[])[] => {
  const kept = new Set<Value>(graph.outputs);
  return graph.nodes
    .toReversed()
    .map((node) => {
      const last = [...new Set([...readsOf(node), ...node.outputs])].filter((name) => !kept.has(name));
      for (const name of last) kept.add(name);
      return last;
    })
    .toReversed();
};

/** The steps of a graph and its weights on the device. Refuses what the engine cannot run. */
export const planOf = (tf: Library, written: Graph, fuses: boolean): Plan => {
  const lacking = lackingIn(written);
  if (lacking.length > 0) {
    throw engineError(
      `the engine tensorflow has no kernel for ${lacking.join(', ')} of the graph '${written.name}'; use another engine`,
    );
  }
  const graph = fuses ? fused(written) : written;
  const last = lastReads(graph);
  const steps = graph.nodes.flatMap((node, i): readonly Step[] => {
    const kernel = kernelOf(node);
    if (kernel === undefined) return [];
    const types = node.outputs.map((output) => graph.types.get(output)?.dtype);
    return [{ node, kernel, opset: opsetOf(graph.opsets, node.domain), types, last: last[i] ?? [] }];
  });
  const constants = new Map([...graph.weights].map(([name, weight]) => [name, constantOf(tf, name, weight)]));
  return { name: graph.name, inputs: graph.inputs, outputs: graph.outputs, constants, steps };
};

/** The integers of a short vector, wherever they are. */
const shortList = (held: Held): readonly number[] | undefined => {
  if (held.kind === 'numbers') return held.numbers;
  return held.tensor.dtype === 'int32' && held.tensor.size <= LONGEST_LIST ? numbersOf(held) : undefined;
};

/** A node's call with the sizes of this run. What is no short list of integers is read where an operator asks for it. */
const callWith = ({ node, opset }: Step, inputs: readonly (Held | undefined)[]): Call => {
  const held = new Map(node.inputs.flatMap((name, i) => (name === null ? [] : [[name, inputs[i]] as const])));
  return callOf(node, opset, {
    type: (name) => {
      const value = held.get(name);
      return value === undefined ? undefined : typeOf(value);
    },
    weight: () => undefined,
    ints: (name) => {
      const value = held.get(name);
      return value === undefined ? undefined : shortList(value);
    },
  });
};

/** What shape arithmetic alone comes to; undefined where the operator's record has no numbers for it. */
const arithmetic = (call: Call): readonly Held[] | undefined => {
  const held = inferNode(call)?.map(({ dtype, shape, ints }): Held | undefined => {
    const numbers = ints?.filter((dim) => typeof dim === 'number');
    const dims = shape?.filter((dim) => typeof dim === 'number');
    if (numbers === undefined || dims === undefined || numbers.length !== ints?.length) return undefined;
    return { kind: 'numbers', dtype, dims, numbers };
  });
  const whole = held?.filter((one) => one !== undefined);
  return whole !== undefined && whole.length === held?.length && whole.length > 0 ? whole : undefined;
};

const workOf = (tf: Library, step: Step, call: Call, inputs: readonly (Held | undefined)[]): Work => {
  const { node } = step;
  const given = (position: number): Tensor | undefined => {
    const held = inputs[position];
    return held === undefined ? undefined : tensorOf(tf, node.inputs[position] ?? '', held);
  };
  return {
    ...{ tf, call, given },
    x: (position) => {
      const tensor = given(position);
      if (tensor === undefined) throw new TypeError(`input ${position} is missing`);
      return tensor;
    },
    fixed: (position) => {
      const held = inputs[position];
      return held?.kind === 'numbers' ? held.numbers : undefined;
    },
    numbers: (position) => {
      const held = inputs[position];
      return held === undefined ? undefined : numbersOf(held);
    },
    shape: (output = 0) => {
      const shape = inferNode(call)?.[output]?.shape;
      const dims = shape?.filter((dim) => typeof dim === 'number');
      if (dims === undefined || dims.length !== shape?.length)
        throw new TypeError(`the shape of output ${output} is open`);
      return dims;
    },
    made: (output = 0) => {
      const dtype = step.types[output];
      if (dtype === undefined) throw new TypeError(`the type of output ${output} is not known`);
      return dtype;
    },
  };
};

/** A tensor of its own for an output, in the type that the graph says. */
const owned = (tf: Library, { types, node }: Step, i: number, tensor: Tensor, taken: Set<Tensor>): Held => {
  const dtype = types[i];
  if (dtype === undefined) throw new TypeError(`the type of '${node.outputs[i]}' is not known`);
  if (storedAs(dtype) !== tensor.dtype) {
    throw new TypeError(`'${node.outputs[i]}' is ${dtype} in the graph, and its kernel made ${tensor.dtype}`);
  }
  const own = taken.has(tensor) ? tf.clone(tensor) : tensor;
  taken.add(own);
  return { kind: 'tensor', dtype, tensor: own };
};

/** The outputs of one node by name; those that the graph leaves out are not kept. */
export const computed = (
  tf: Library,
  step: Step,
  inputs: readonly (Held | undefined)[],
): readonly (readonly [Value, Held])[] => {
  const { outputs } = step.node;
  const named = (made: readonly Held[]) => made.flatMap((held, i) => (outputs[i] ? [[outputs[i], held] as const] : []));
  const call = callWith(step, inputs);
  if (inputs.every((held) => held === undefined || held.kind === 'numbers')) {
    const numbers = arithmetic(call);
    if (numbers !== undefined) return named(numbers);
  }
  const taken = new Set(inputs.flatMap((held) => (held?.kind === 'tensor' ? [held.tensor] : [])));
  let held: readonly (readonly [Value, Held])[] = [];
  tf.tidy(() => {
    const made = step.kernel(workOf(tf, step, call, inputs));
    if ('kind' in made) held = named([made]);
    else {
      const tensors = [made].flat().entries();
      held = [...tensors].flatMap(([i, tensor]) =>
        outputs[i] ? [[outputs[i], owned(tf, step, i, tensor, taken)] as const] : [],
      );
    }
    return held.flatMap(([, one]) => (one.kind === 'tensor' ? [one.tensor] : []));
  });
  return held;
};
