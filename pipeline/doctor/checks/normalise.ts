import type { Graph } from '../../../graph/graph.ts';
import { atMost, type CheckRecord } from '../check.ts';
import { differenceOf } from '../compared.ts';

const LIMIT = 1e-4;
/** What is computed in 16 bits is rounded at every step; its normal form is not. */
const HALF_LIMIT = 1e-2;

const isHalf = ({ weights }: Graph): boolean =>
  [...weights.values()].some(({ dtype }) => dtype === 'float16' || dtype === 'bfloat16');

/** How far answers of another graph may be from those of a file. */
export const limitFor = (given: Graph): number => (isHalf(given) ? HALF_LIMIT : LIMIT);

/** Whether the normal form answers what the file as it is answers. */
export const normalise: CheckRecord = {
  name: 'normalise',
  needs: ['load'],
  run: async (patient) => {
    const { given, graph } = patient.foreign;
    const [{ outputs }, normal] = [await patient.tried(), await patient.normal()];
    const difference = Math.max(...outputs.map((one, i) => differenceOf(normal[i] ?? {}, one, 'absolute')));
    await patient.keep('normal.onnx', graph);
    return atMost(difference, limitFor(given), `${given.nodes.length} nodes became ${graph.nodes.length}`);
  },
};
