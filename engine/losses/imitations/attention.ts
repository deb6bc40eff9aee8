import { z } from 'zod';
import type { Value } from '../../../graph/graph.ts';
import { type AttentionTap, defineImitation, type ImitationScope, layersOption } from '../imitation.ts';
import { bounded, divergence, meanOver, rowSums, unmasked } from '../nodes.ts';

/** Probabilities below this are rounding. */
const LEAST_PROBABILITY = 1e-9;

interface Pair {
  readonly student: AttentionTap;
  readonly teacher: AttentionTap;
}

/** KL(teacher || student) of where a token looks, the mean over heads; of the mean map of all heads where their numbers differ. */
const probabilities = ({ builder }: ImitationScope, { student, teacher }: Pair): Value => {
  const [z, t] = [bounded(builder, student.scores), bounded(builder, teacher.scores)]; // (batch, heads, queries, keys)
  if (student.heads === teacher.heads) return meanOver(builder, divergence(builder, t, z), 1);
  const mean = (scores: Value): Value => meanOver(builder, builder.op('Softmax', [scores], { axis: -1 }), 1);
  const [q, p] = [mean(z), mean(t)];
  const least = builder.scalar('float32', LEAST_PROBABILITY);
  const log = (x: Value): Value => builder.op('Log', [builder.op('Max', [x, least])]);
  return rowSums(builder, builder.op('Mul', [p, builder.op('Sub', [log(p), log(q)])])); // (batch, queries)
};

/** Squared differences of the scores before the softmax, the mean over heads and over the keys that no mask hides. */
const scores = ({ builder }: ImitationScope, { student, teacher }: Pair): Value => {
  const same = student.heads === teacher.heads;
  const met = (x: Value): Value => (same ? x : meanOver(builder, x, 1));
  const [z, t] = [bounded(builder, student.scores), bounded(builder, teacher.scores)]; // (batch, heads, queries, keys)
  const difference = builder.op('Sub', [met(z), met(t)]);
  const shown = met(unmasked(builder, t));
  const square = builder.op('Mul', [builder.op('Mul', [difference, difference]), shown]);
  const count = builder.op('Max', [rowSums(builder, shown), builder.scalar('float32', 1)]);
  const rows = builder.op('Div', [rowSums(builder, square), count]); // (batch, heads, queries)
  return same ? meanOver(builder, rows, 1) : rows;
};

/**
 * Attention maps (TinyBERT, Jiao et al. 2020, arXiv 1909.10351): where each token looks. probabilities: KL(teacher || student) behind
 * the softmax; scores: the squared difference before it, as the paper has it. Heads meet one by one; where the student has another
 * number of them, the means over heads do (as TextBrewer, arXiv 2002.12620).
 */
export const attention = defineImitation({
  uses: 'attention',
  summary: 'distance of attention maps',
  reads: 'attention',
  options: {
    layers: layersOption('uniform'),
    compare: z
      .enum(['probabilities', 'scores'])
      .default('probabilities')
      .describe(
        'what is compared: shares behind the softmax, by their divergence, or scores before it, by their squared distance',
      ),
  },
  emit: (scope, { layers, compare }) =>
    scope.layers(layers, (student, teacher) => {
      const pair = { student: student.attention(), teacher: teacher.attention() };
      return compare === 'scores' ? scores(scope, pair) : probabilities(scope, pair);
    }),
});
