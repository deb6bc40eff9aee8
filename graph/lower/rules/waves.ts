import type { GraphBuilder } from '../../builder.ts';
import type { Value } from '../../graph.ts';
import { any, node } from '../../rewrite/pattern.ts';
import { defineRule, held } from '../../rewrite/rule.ts';
import { sampleOf } from './shared.ts';

/** Pi in three parts: products of the first two with whole numbers up to 2^13 are exact in float32 (Cody and Waite 1980). */
const PI_PARTS = [3.140625, 9.675025939941406e-4, 1.5099579909783765e-7];

/** sin r = r (1 + r^2 (c_1 + r^2 (c_2 + ..))), from the highest power down: off by 6e-8 at pi / 2. */
const COEFFICIENTS = [-1 / 39_916_800, 1 / 362_880, -1 / 5040, 1 / 120, -1 / 6, 1];

const numbersIn = (builder: GraphBuilder) => {
  const number = (x: number): Value => builder.scalar('float32', x);
  return {
    add: (a: Value, b: Value | number): Value => builder.op('Add', [a, typeof b === 'number' ? number(b) : b]),
    times: (a: Value, b: Value | number): Value => builder.op('Mul', [a, typeof b === 'number' ? number(b) : b]),
    floor: (a: Value): Value => builder.op('Floor', [a]),
  };
};

/**
 * sin(x + shift pi) = (-1)^k sin(r), with r = x - (k - shift) pi and the whole number k that brings r to [-pi / 2, pi / 2].
 * What WGSL promises of sin and cos is 2^-11; positions that turn by angles need more.
 */
const wave = (builder: GraphBuilder, x: Value, shift: 0 | 0.5, output: Value): Value => {
  const { add, times, floor } = numbersIn(builder);
  const k = floor(add(times(x, 1 / Math.PI), shift + 0.5));
  const turns = shift === 0 ? k : add(k, -shift);
  const r = PI_PARTS.reduce((rest, part) => builder.op('Sub', [rest, times(turns, part)]), x);
  const square = times(r, r);
  const [highest = 0, ...lower] = COEFFICIENTS;
  const series = lower.reduce((sum, c, i) => add(times(square, i === 0 ? highest : sum), c), square);
  const odd = add(k, times(floor(times(k, 0.5)), -2));
  return builder.op('Mul', [times(r, series), add(times(odd, -2), 1)], {}, output);
};

const angles = (op: 'Sin' | 'Cos', scale: number) =>
  sampleOf(`${op} of angles up to ${3 * scale}`, (builder, x) =>
    builder.op(op, [builder.op('Mul', [x, builder.scalar('float32', scale)])], {}, 'y'),
  );

const waveRule = (op: 'Sin' | 'Cos', shift: 0 | 0.5) =>
  defineRule({
    name: op.toLowerCase(),
    pattern: node(op, [any('x')]),
    when: ({ graph, value }) => (graph.types.get(value('x'))?.dtype === 'float32' ? {} : held('it is no float32')),
    replace: (builder, place, _, output) => wave(builder, place.value('x'), shift, output),
    fires: [angles(op, 1), angles(op, 1000)],
    holds: [sampleOf('Tanh', (builder, x) => builder.op('Tanh', [x], {}, 'y'))],
  });

export const [sine, cosine] = [waveRule('Sin', 0), waveRule('Cos', 0.5)];
