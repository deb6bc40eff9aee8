import { type Cause, matters, savingOf, written } from './cause.ts';

/** Attention that runs as many small nodes, and the node that kept it from being one. */
export const attentionInPieces: Cause = {
  name: 'attention-in-pieces',
  about: 'time',
  looksAt: 'each Softmax between two products of activations; the pieces are timed again as one node of as many heads',
  advice:
    'write attention as Reshape, Transpose, MatMul, scale, mask, Softmax, MatMul, Transpose, Reshape, and read nothing inside it from outside',
  find: ({ model }) => {
    const { broken, fused } = model.attention;
    const [first] = broken;
    const saving = savingOf(model, 'fused-attention');
    if (first === undefined || !matters(saving)) return undefined;
    return {
      finding: `${broken.length} of ${broken.length + fused.length} attentions run in pieces: ${first.reason}`,
      evidence: written('with one node for each the graph', saving),
      share: saving.share,
    };
  },
};
