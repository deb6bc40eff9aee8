import { z } from 'zod';
import type { Value } from '../../../graph/graph.ts';
import { defineImitation, type ImitationScope, temperatureOption } from '../imitation.ts';
import { correlation, rowSums, total, weighed } from '../nodes.ts';
import { cooled, heated } from './cooled.ts';

type Rows = Readonly<Record<'p' | 'q' | 'weights', Value>>;

/** sum_i w_i (1 - corr_c(p_ic, q_ic)): classes within an answer. */
const inter = ({ builder }: ImitationScope, { p, q, weights }: Rows): Value => {
  const classes = builder.type(p).shape?.at(-1);
  const each = builder.scalar('float32', 1 / Number(classes));
  const found = rowSums(builder, correlation(builder, { a: q, b: p, weights: each, axis: -1 })); // (answers)
  return weighed(builder, builder.op('Sub', [builder.scalar('float32', 1), found]), weights);
};

/** sum_i w_i mean_c (1 - corr_i(p_ic, q_ic)): answers within a class, each as much as it weighs. */
const intra = ({ builder }: ImitationScope, { p, q, weights }: Rows): Value => {
  const sum = total(builder, weights);
  const some = builder.op('Max', [sum, builder.scalar('float32', 1e-12)]);
  const share = builder.op('Unsqueeze', [builder.op('Div', [weights, some]), builder.ints([1])]); // (answers, 1)
  const found = correlation(builder, { a: q, b: p, weights: share, axis: 0 }); // (1, classes)
  const mean = builder.op('ReduceMean', [found], { keepdims: 0 });
  return builder.op('Mul', [sum, builder.op('Sub', [builder.scalar('float32', 1), mean])]);
};

/**
 * DIST (Huang et al. 2022, arXiv 2205.10536): the student keeps the teacher's order, not its numbers. L = T^2 (a inter + b intra) with
 * 1 - Pearson's correlation of the probabilities softmax(z / T), over the classes of each answer and over the answers of each class.
 */
export const dist = defineImitation({
  uses: 'dist',
  summary: "correlation with the teacher's probabilities, over the classes of a text and over the texts of a class",
  reads: ['choice', 'token'],
  comparesTexts: true,
  options: {
    temperature: temperatureOption,
    inter: z.number().min(0).default(1).describe('weight of the correlation over the classes of each text'),
    intra: z.number().min(0).default(1).describe('weight of the correlation over the texts of each class'),
  },
  emit: (scope, { temperature = scope.temperature, inter: within, intra: across }) => {
    const { builder } = scope;
    const { student, teacher, weights } = cooled(scope, temperature);
    const width = Number(builder.type(student).shape?.at(-1));
    const flat = (x: Value): Value =>
      builder.op('Reshape', [builder.op('Softmax', [x], { axis: -1 }), builder.ints([-1, width])]);
    const rows = { p: flat(teacher), q: flat(student), weights: builder.op('Reshape', [weights, builder.ints([-1])]) };
    const share = (loss: Value, by: number): Value => builder.op('Mul', [loss, builder.scalar('float32', by)]);
    const both = builder.op('Add', [share(inter(scope, rows), within), share(intra(scope, rows), across)]);
    return heated(scope, temperature, both);
  },
});
