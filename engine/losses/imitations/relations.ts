import { z } from 'zod';
import type { Value } from '../../../graph/graph.ts';
import { stageError } from '../../../ground/errors.ts';
import { type AttentionTap, defineImitation, type ImitationScope, layersOption } from '../imitation.ts';
import { divergence, meanOver } from '../nodes.ts';

const kinds = ['queries', 'keys', 'values'] as const;

/** The largest number of relation heads, up to the teacher's own, that divides both widths. */
const usualHeads = (student: number, teacher: number, most: number): number => {
  for (let heads = most; heads > 1; heads--) if (student % heads === 0 && teacher % heads === 0) return heads;
  return 1;
};

const wrongHeads = (heads: number, student: number, teacher: number): string =>
  `${heads} relation heads do not divide the widths of both models' attention, ${student} of the student and ${teacher} of the teacher`;

const widthOf = ({ builder }: ImitationScope, x: Value, heads: number): number =>
  heads * Number(builder.type(x).shape?.at(-1));

/** softmax over j of a_i a_j / sqrt(d) as logits, for R heads cut from all heads side by side: (batch, R, sequence, sequence). */
const related = ({ builder, kept }: ImitationScope, x: Value, heads: number, width: number): Value => {
  const wide = builder.op('Transpose', [x], { perm: [0, 2, 1, 3] }); // (batch, sequence, heads, d)
  const cut = builder.op('Reshape', [wide, builder.ints([0, 0, heads, width / heads])]); // (batch, sequence, R, width / R)
  const rows = builder.op('Transpose', [cut], { perm: [0, 2, 1, 3] });
  const columns = builder.op('Transpose', [cut], { perm: [0, 2, 3, 1] });
  const scale = builder.scalar('float32', 1 / Math.sqrt(width / heads));
  const scores = builder.op('Mul', [builder.op('MatMul', [rows, columns]), scale]);
  const seen = builder.op('Unsqueeze', [
    builder.op('Greater', [kept(), builder.scalar('float32', 0)]),
    builder.ints([1, 2]),
  ]);
  return builder.op('Where', [seen, scores, builder.scalar('float32', -1e4)]);
};

/** The mean over relation heads of KL(teacher || student), (batch, sequence). */
const relation = (
  scope: ImitationScope,
  kind: (typeof kinds)[number],
  heads: number,
  pair: readonly [AttentionTap, AttentionTap],
): Value => {
  const [z, t] = pair.map((tap) => related(scope, tap[kind], heads, widthOf(scope, tap[kind], tap.heads)));
  if (z === undefined || t === undefined) throw new Error('a relation is between two');
  return meanOver(scope.builder, divergence(scope.builder, t, z), 1);
};

/**
 * Relations of tokens within a layer (MiniLMv2, Wang et al. 2021, arXiv 2012.15828): softmax(A A^T / sqrt(d)) of the queries, keys and
 * values A, each laid side by side over all heads and cut into R relation heads, so that neither width nor number of heads has to
 * agree. L = the mean over kinds and relation heads of KL(teacher || student), from one layer: the last, where nobody says another.
 */
export const relations = defineImitation({
  uses: 'relations',
  summary: 'which tokens are near by queries, keys and values',
  reads: 'attention',
  options: {
    layers: layersOption('last'),
    of: z
      .array(z.enum(kinds))
      .min(1)
      .default([...kinds])
      .describe('what tokens are near by'),
    heads: z
      .int()
      .min(1)
      .optional()
      .describe("relation heads; left out, the most up to the teacher's heads that divide both widths"),
  },
  problems: ({ heads }, student, teacher) =>
    heads === undefined || student.width === undefined || teacher.width === undefined
      ? []
      : student.width % heads === 0 && teacher.width % heads === 0
        ? []
        : [{ path: ['heads'], message: wrongHeads(heads, student.width, teacher.width) }],
  emit: (scope, { layers, of, heads }) =>
    scope.layers(layers, (student, teacher) => {
      const pair = [student.attention(), teacher.attention()] as const;
      const [own, theirs] = pair.map((tap) => widthOf(scope, tap.queries, tap.heads));
      if (own === undefined || theirs === undefined) throw new Error('a relation is between two');
      const number = heads ?? usualHeads(own, theirs, pair[1].heads);
      if (own % number !== 0 || theirs % number !== 0) throw stageError(wrongHeads(number, own, theirs));
      const all = of.map((kind) => relation(scope, kind, number, pair));
      const sum = all.reduce((a, b) => scope.builder.op('Add', [a, b]));
      return scope.builder.op('Mul', [sum, scope.builder.scalar('float32', 1 / of.length)]);
    }),
});
