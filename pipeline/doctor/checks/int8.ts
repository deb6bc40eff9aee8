import { quantizeWeights } from '../../../graph/quantize/index.ts';
import { fuseForInference } from '../../../graph/rewrite/index.ts';
import { expectFloats } from '../../../models/foreign.ts';
import { type CheckRecord, found } from '../check.ts';
import { leastCosine } from '../compared.ts';
import { answersOf } from '../patient.ts';
import { speedOf, speedText } from '../speed.ts';

const LIMIT = 0.95;

/** Whether every matrix, however small, can multiply in 8 bits and the answers still point the same way. */
export const int8: CheckRecord = {
  name: 'int8',
  needs: ['normalise'],
  run: async (patient) => {
    const { foreign, threads } = patient;
    expectFloats(foreign, 'the file', 'quantized');
    const { graph, report } = quantizeWeights(fuseForInference(foreign.graph), { minimumElements: 0, minimumTable: 0 });
    const matrices = report.weights.filter(({ dims }) => dims.length === 2);
    if (report.quantized === 0) return found(false, `none of ${matrices.length} matrices can be stored in 8 bits`);
    await patient.keep('int8.onnx', graph);
    const { feeds } = await patient.tried();
    const [normal, answers] = [await patient.normal(), await answersOf(graph, feeds, threads)];
    const value = Math.min(...normal.map((one, i) => leastCosine(answers[i] ?? {}, one)));
    const why = `${report.quantized} of ${matrices.length} matrices, ${speedText(await speedOf(patient, graph))}`;
    return { value, limit: LIMIT, ok: value >= LIMIT, why };
  },
};
