import { weightBytes } from '../../../graph/codec/index.ts';
import { bytes } from '../../../ground/bytes.ts';
import { type CheckRecord, found } from '../check.ts';

/** Whether ONNX Runtime takes the file, and answers to inputs that fit it. */
export const load: CheckRecord = {
  name: 'load',
  needs: [],
  run: async (patient) => {
    const { given } = patient.foreign;
    const { examples, feeds } = await patient.tried();
    const fed = Object.entries(feeds[0] ?? {}).map(([name, { dims }]) => `${name} [${dims.join(', ')}]`);
    const alone = examples === 1 && patient.foreign.given.inputs.length > 0 ? ', one example at a time' : '';
    return found(
      true,
      `${given.nodes.length} nodes, ${bytes(weightBytes(given))} of weights, opset ${given.opsets['']}; fed ${fed.join(', ')}${alone}`,
    );
  },
};
