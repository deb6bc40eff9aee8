import { type Graph, type Node, type Value, value } from '../../../graph/graph.ts';
import { quantizeMatrix, transposed } from '../../../graph/quantize/weights.ts';
import type { Tensor } from '../../../graph/tensor.ts';
import { biasBehind, type Product, productOf } from '../products.ts';
import { isFloatProduct, isPlain } from './integers.ts';
import type { Variant } from './variant.ts';

/** Everything one quantization adds. */
interface Emission {
  readonly graph: Graph;
  readonly weights: Map<Value, Tensor>;
  /** Activations that were quantized, for attention: the kernels of plain products do it themselves. */
  readonly quantized: Set<Value>;
}

const eightBits = ({ weights }: Emission, { weight, tensor, turned }: Product): readonly [Value, Value] => {
  const [integers, steps] = [value(`${weight}/integers`), value(`${weight}/steps`)];
  if (!weights.has(integers)) {
    const matrix = quantizeMatrix(weight, tensor, turned ? 'rows' : 'columns', 127);
    weights.set(integers, turned ? transposed(matrix.integers) : matrix.integers);
    weights.set(steps, matrix.steps);
  }
  return [integers, steps];
};

/** Attention on integers, with the step that makes them where no other attention has made it. */
const attention = (emission: Emission, node: Node, product: Product): readonly Node[] => {
  const [x, , bias = null, mask = null] = node.inputs;
  if (x == null) return [node];
  const [weight, steps] = eightBits(emission, product);
  const [integers, step, zero] = ['integers', 'step', 'zero'].map((part) => value(`${x}/${part}`));
  if (integers === undefined || step === undefined || zero === undefined) return [node];
  const inputs = [integers, weight, bias, step, steps, mask, zero];
  const changed = { ...node, op: 'QAttention', inputs };
  if (emission.quantized.has(x)) return [changed];
  emission.quantized.add(x);
  const outputs = [integers, step, zero];
  return [{ op: 'DynamicQuantizeLinear', domain: '', name: integers, inputs: [x], outputs, attrs: {} }, changed];
};

/** A product with its bias as one kernel that quantizes its input, too. */
const linear = (emission: Emission, node: Node, product: Product, gone: Set<Node>): readonly Node[] => {
  const behind = biasBehind(emission.graph, product);
  if (behind !== undefined) gone.add(behind.add);
  const bias = behind?.bias ?? node.inputs[2] ?? null;
  const inputs = [node.inputs[0] ?? null, ...eightBits(emission, product), null, bias];
  const outputs = behind === undefined ? node.outputs : behind.add.outputs;
  return [{ ...node, op: 'DynamicQuantizeMatMul', domain: 'com.microsoft', inputs, outputs, attrs: {} }];
};

/** Products that are left in float32 in 8 bits: signed weights with a step a column, activations quantized at run time. */
export const quantized: Variant = {
  name: 'quantized',
  make: ({ graph }) => {
    const emission: Emission = { graph, weights: new Map(), quantized: new Set() };
    const gone = new Set<Node>();
    const nodes = graph.nodes.flatMap((node): readonly Node[] => {
      const product = productOf(graph, node);
      if (gone.has(node)) return [];
      if (product === undefined || !isFloatProduct(product.tensor) || !isPlain(node)) return [node];
      if (node.op !== 'Attention') return linear(emission, node, product, gone);
      return node.inputs.length > 4 || node.outputs.length > 1 ? [node] : attention(emission, node, product);
    });
    if (emission.weights.size === 0) return undefined;
    return { ...graph, nodes, weights: new Map([...graph.weights, ...emission.weights]) };
  },
};
