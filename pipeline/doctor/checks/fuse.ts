import { fuseForInference } from '../../../graph/rewrite/index.ts';
import { atMost, type CheckRecord } from '../check.ts';
import { differenceOf } from '../compared.ts';
import { answersOf } from '../patient.ts';
import { speedOf, speedText } from '../speed.ts';

const LIMIT = 1e-4;

/** Whether the fused graph answers the same, and how fast it is. */
export const fuse: CheckRecord = {
  name: 'fuse',
  needs: ['normalise'],
  run: async (patient) => {
    const { graph } = patient.foreign;
    const fused = fuseForInference(graph);
    await patient.keep('fused.onnx', fused);
    const { feeds } = await patient.tried();
    const [normal, found] = [await patient.normal(), await answersOf(fused, feeds, patient.threads)];
    const difference = Math.max(...normal.map((one, i) => differenceOf(found[i] ?? {}, one, 'absolute')));
    const nodes = `${graph.nodes.length} nodes became ${fused.nodes.length}`;
    return atMost(difference, LIMIT, `${nodes}, ${speedText(await speedOf(patient, fused))}`);
  },
};
