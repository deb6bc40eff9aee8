import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readGraph } from '../../../graph/codec/index.ts';
import { modelError, reworded } from '../../../ground/errors.ts';
import { atMost, type CheckRecord } from '../check.ts';
import { differenceOf } from '../compared.ts';
import { answersOf, madeFeeds, type Patient, THIRD } from '../patient.ts';
import { limitFor } from './normalise.ts';

const LENGTH = 3;
/** Files whose answers are those of the file. */
const equal: ReadonlySet<string> = new Set(['normal.onnx', 'fused.onnx']);

/** The difference of one written file from what was read; nothing where it is another model by now. */
const differenceIn = async (patient: Patient, file: string): Promise<number> => {
  const graph = await readGraph(join(patient.folder, file));
  const { feeds, outputs } = await patient.tried();
  const third = feeds[THIRD] ?? {};
  if (!equal.has(file) && patient.inputs.length === 0) {
    await answersOf(graph, [madeFeeds(graph, 1, LENGTH)], patient.threads);
    return 0;
  }
  if (!equal.has(file)) return 0;
  const [answers = {}] = await answersOf(graph, [third], patient.threads);
  return differenceOf(answers, outputs[THIRD] ?? {}, 'absolute');
};

/** Whether what was written can be read again, and runs at a shape that nothing was compared at. */
export const save: CheckRecord = {
  name: 'save',
  needs: ['normalise'],
  run: async (patient) => {
    const files = (await readdir(patient.folder)).filter((file) => file.endsWith('.onnx')).toSorted();
    let most = 0;
    for (const file of files) {
      try {
        most = Math.max(most, await differenceIn(patient, file));
      } catch (error) {
        throw reworded(error, (why) => modelError(`${file}: ${why}`));
      }
    }
    return atMost(
      most,
      limitFor(patient.foreign.given),
      `${files.length} files were read again and run: ${files.join(', ')}`,
    );
  },
};
