import { spreadOver } from '../../data/spread.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { taskLearning } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { requestError } from '../diagnostic.ts';
import { textsFor } from './ask.ts';
import type { Foreign } from './foreign.ts';
import { readLabelled } from './labelled.ts';
import { openModel } from './open.ts';
import type { DataOptions } from './types/models.ts';

/** What is read as the import stage would read it, around the graph that is written: its inputs and answers have to be the same. */
export const readAsModel = async (
  { called, file, graph, around }: Foreign,
  verb: 'quantize' | 'prune',
): Promise<{ model: Model; folder: string }> => {
  if (around.kind !== 'bare') return { model: { ...around.model, graph }, folder: called };
  const { model, folder } = await openModel(file ?? called, {});
  const own = new Set<string>(graph.inputs);
  const fed = model.info.signature.inputs.map(({ name }) => name);
  const answer = answerName(model.info.signature);
  const strange = graph.inputs.find((input) => !fed.includes(input)) ?? fed.find((input) => !own.has(input));
  if (strange === undefined && graph.outputs.includes(answer)) return { model: { ...model, graph }, folder };
  const what =
    strange === undefined
      ? `its answer is made of '${answer}', which it does not give`
      : `the input '${strange}' is nothing that texts give`;
  throw requestError(
    `${called}: --data reads texts for a model as the import stage takes it, and ${what}; import it with a pipeline and ${verb} that`,
  );
};

/** Texts that are looked at where nobody says how many. */
export const CALIBRATION = 256;
/** Fewer tell nothing of what a model reads. */
const FEWEST = 2;

export const expectSeveral = (count: number, { data }: Pick<DataOptions, 'data'>, least: number): void => {
  if (count >= least) return;
  throw requestError(
    `${data}: has ${count === 1 ? 'one text' : `${count} texts`}, which is too few to see by what activations are like; expected ${least} at least, such as ${CALIBRATION}`,
  );
};

/** Some texts of a file, spread over all of it, as people ask the model about them; `times` as many as are looked at. */
export const textsAlone = async (
  { model, folder }: { readonly model: Model; readonly folder: string },
  asked: DataOptions & { readonly calibration?: number },
  times: number,
): Promise<ReturnType<typeof textsFor>> => {
  const { texts } = await readLabelled(taskLearning('teacher'), asked);
  expectSeveral(texts.length, asked, FEWEST);
  const places = spreadOver(texts.length, times * (asked.calibration ?? CALIBRATION));
  return textsFor(
    folder,
    taskOf(model.info.task),
    Array.from(places, (at) => texts[at] ?? { text: '' }),
  );
};
