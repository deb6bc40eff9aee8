import { refusal } from '../../ground/errors.ts';
import { type Dim, productOf, type Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient, Inferred, OpDef } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { unsqueeze } from './shared-emit.ts';
import { floats, type Labels, labelCut, operand } from './shared-math.ts';
import { broadcastShapes, describe, freshDim, inputOf, stringAttr } from './shared-structure.ts';

export interface Equation {
  /** One letter an axis. */
  readonly terms: readonly string[];
  readonly result: string;
}

/** Letters that occur once in all terms, in order: what numpy returns where no result is written. */
const implied = (terms: readonly string[]): string => {
  const all = terms.join('');
  return [...new Set(all)]
    .filter((letter) => all.split(letter).length === 2)
    .sort()
    .join('');
};

/** Undefined where axes stand for any number of them, or a diagonal is taken. */
export const equationOf = (call: Call): Equation | undefined => {
  const text = stringAttr(call.node, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = text.split('->');
  const terms = left.split(',');
  const plain = [...terms, right ?? ''].every((term) => /^[A-Za-z]*$/.test(term) && new Set(term).size === term.length);
  return plain && terms.length === call.node.inputs.length ? { terms, result: right ?? implied(terms) } : undefined;
};

/** The size that each letter stands for. */
const sizesOf = (call: Call, { terms }: Equation): ReadonlyMap<string, Dim> | undefined => {
  const sizes = new Map<string, Dim>();
  for (const [i, term] of terms.entries()) {
    const shape = call.inputs[i]?.shape;
    if (shape === undefined) return undefined;
    [...term].forEach((letter, axis) => {
      const [size] = broadcastShapes(call, [[shape[axis] ?? 1], [sizes.get(letter) ?? 1]]) ?? [];
      sizes.set(letter, size ?? 1);
    });
  }
  return sizes;
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype } = inputOf(call, 0);
  const equation = equationOf(call);
  const sizes = equation === undefined ? undefined : sizesOf(call, equation);
  if (equation === undefined || sizes === undefined) return [{ dtype, shape: undefined }];
  return [{ dtype, shape: [...equation.result].map((letter, axis) => sizes.get(letter) ?? freshDim(call, 0, axis)) }];
};

const labels = (call: Call, port: Port, shape: Shape): Labels => {
  const equation = equationOf(call);
  const letters = port.kind === 'output' ? equation?.result : equation?.terms[port.position];
  return shape.map((_, axis) => letters?.[axis] ?? null);
};

/** The sum over everything but one operand, in that operand's own axes; those that it alone has are repeated. */
const operandGradient = (emit: Emit, call: Call, equation: Equation, dy: Value, position: number): Value => {
  const { terms, result } = equation;
  const own = terms[position] ?? '';
  const others = terms.flatMap((term, i) => (i === position ? [] : [{ term, value: operand(call, i) }]));
  const around = [{ term: result, value: dy }, ...others];
  const known = new Set(around.map(({ term }) => term).join(''));
  const kept = [...own].filter((letter) => known.has(letter)).join('');
  const text = `${around.map(({ term }) => term).join(',')}->${kept}`;
  const sum = emit.op(
    'Einsum',
    around.map(({ value }) => value),
    { equation: text },
  );
  const lost = [...own].flatMap((letter, axis) => (known.has(letter) ? [] : [axis]));
  if (lost.length === 0) return sum;
  return emit.op('Expand', [unsqueeze(emit, sum, lost), emit.shapeOf(operand(call, position))]);
};

/** y = sum of products over the letters that y has not; the gradient of each operand is such a sum itself. */
const gradient: Gradient = (emit, call, [dy]) => {
  if (dy == null) return call.node.inputs.map(() => null);
  const equation = equationOf(call);
  if (equation === undefined) {
    throw refusal(
      `${describe(call)} has the equation '${stringAttr(call.node, 'equation', '')}': expected one letter an axis, no letter twice in a term`,
    );
  }
  return call.node.inputs.map((_, position) => operandGradient(emit, call, equation, dy, position));
};

const macs = (call: Call): Dim => {
  const equation = equationOf(call);
  const sizes = equation === undefined ? undefined : sizesOf(call, equation);
  return sizes === undefined || call.node.inputs.length < 2 ? 0 : productOf([...sizes.values()]);
};

/** Sums of products along axes that have letters for names. */
export const einsum: OpDef = {
  domain: '',
  op: 'Einsum',
  since: 12,
  infer,
  alike: 'all',
  gradient,
  mixes: true,
  cut: labelCut(infer, labels, 'gives that axis no letter of its own'),
  macs,
  samples: [
    {
      name: 'queries times keys',
      inputs: [floats(2, 3, 2, 4), floats(2, 5, 2, 4)],
      attrs: { equation: 'bqhd,bkhd->bhqk' },
      macs: 2 * 2 * 3 * 5 * 4,
    },
    { name: 'rows times a matrix', inputs: [floats(2, 3), floats(3, 4)], attrs: { equation: 'ij, jk' }, macs: 24 },
    { name: 'a sum over an axis', inputs: [floats(2, 3, 4)], attrs: { equation: 'abc->ca' } },
    {
      name: 'three operands',
      inputs: [floats(2, 3), floats(3), floats(4)],
      attrs: { equation: 'ab,b,c->ca' },
      macs: 24,
    },
  ],
};
