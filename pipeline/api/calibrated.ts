import { spreadOver } from '../../data/spread.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import type { Texts } from '../../stages/quantize/calibration.ts';
import type { Config } from '../../stages/quantize/config.ts';
import type { HeldOut } from '../../stages/quantize/drops.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { textWork } from '../guard/work.ts';
import { defaultThreads } from '../plan/threads.ts';
import type { Foreign } from './foreign.ts';
import { datasetFor, readLabelled } from './labelled.ts';
import type { Reading } from './named.ts';
import { CALIBRATION, expectSeveral, readAsModel, textsAlone } from './seen-texts.ts';
import type { Calibrated, CalibrationOptions, QuantizeOptions } from './types/graphs.ts';

/** Options of the stage as the command line calls them. */
const flags: Readonly<Record<string, string>> = {
  ...{ 'budget.bytes': '--budget', 'budget.maxDrop': '--max-drop', calibration: '--calibration' },
  ...{ block: '--block', zeroPoint: '--symmetric', format: '--format' },
};

/** What the quantize stage would be asked for in a file. */
const configOf = async (asked: QuantizeOptions): Promise<Config> => {
  const { config, needsTexts } = await import('../../stages/quantize/config.ts');
  const { format, skip, block, zeroPoint, budget, maxDrop, calibration } = asked;
  const limits = {
    ...(budget === undefined ? {} : { bytes: budget }),
    ...(maxDrop === undefined ? {} : { maxDrop }),
  };
  const parsed = config.safeParse({
    ...(format === undefined ? {} : { format }),
    ...(skip === undefined ? {} : { exclude: skip }),
    ...(block === undefined ? {} : { block }),
    ...(zeroPoint === undefined ? {} : { zeroPoint }),
    ...(calibration === undefined ? {} : { calibration }),
    ...(Object.keys(limits).length === 0 ? {} : { budget: limits }),
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join('.') ?? '';
    const flag = flags[path] ?? (path === 'budget' ? (budget === undefined ? '--max-drop' : '--budget') : path);
    throw requestError(`${flag}: ${issue?.message}`);
  }
  if (!needsTexts(parsed.data))
    throw requestError(`--data: the format ${parsed.data.format} looks at no texts; leave it out`);
  return parsed.data;
};

type Asked = CalibrationOptions & { readonly data: string };

/** Texts alone, whatever else the file holds. */
const seenTexts = async (model: Model, folder: string, asked: Asked, judges: boolean, signal: AbortSignal) => {
  const { splitTexts } = await import('../../stages/quantize/calibration.ts');
  const given = await textsAlone({ model, folder }, asked, judges ? 2 : 1);
  const task = taskOf(model.info.task);
  const length = Math.min(asked.maxLength ?? model.info.maxLength, model.info.maxLength);
  const encoded = await task.encode(model, given, length, signal);
  return { texts: splitTexts(encoded, judges), given };
};

/** Of labelled texts a quarter at most is looked at: the others judge what came of it. */
const SHARE = 4;
const FEWEST_LABELLED = 8;

const judgedTexts = async (model: Model, asked: Asked, signal: AbortSignal) => {
  const { splitTexts } = await import('../../stages/quantize/calibration.ts');
  const { encodeExamples } = await import('../../stages/train/examples.ts');
  const { info } = model;
  const labelled = await readLabelled(info.task, asked);
  expectSeveral(labelled.texts.length, asked, FEWEST_LABELLED);
  const all = datasetFor(labelled, info, asked.maxLength);
  const { calibration = CALIBRATION } = asked;
  const places = new Set(spreadOver(all.test.length, Math.min(2 * calibration, Math.floor(all.test.length / SHARE))));
  const task = taskOf(all.task);
  const looked = all.test.filter((_, at) => places.has(at));
  const dataset = { ...all, test: all.test.filter((_, at) => !places.has(at)) };
  const { encoded } = await encodeExamples('training', looked, { model, task, dataset }, signal);
  const held: HeldOut = {
    ...(await encodeExamples('validation', dataset.test, { model, task, dataset }, signal)),
    ...{ dataset, called: `texts of ${asked.data} that nothing was chosen by` },
  };
  return { texts: { ...splitTexts(encoded, true), held }, given: all.test };
};

const textsOf = async (
  model: Model,
  folder: string,
  asked: Asked,
  signal: AbortSignal,
): Promise<{ texts: Texts; given: readonly { readonly text: string }[] }> => {
  const { maxDrop, budget } = asked;
  if (maxDrop === undefined) return await seenTexts(model, folder, asked, budget !== undefined, signal);
  const { dropProblem } = await import('../../stages/quantize/budget.ts');
  const problem = dropProblem(maxDrop, dataTask(model.info.task));
  if (problem !== undefined) throw requestError(`--max-drop: ${problem}`);
  return await judgedTexts(model, asked, signal);
};

/** What the quantize stage makes of a graph by the texts of a file. */
export const calibrated = async (
  foreign: Foreign,
  asked: QuantizeOptions & { readonly data: string },
  emit: Reading['emit'],
) => {
  const { signal = new AbortController().signal, threads = defaultThreads(), minElements } = asked;
  const config = await configOf(asked);
  const { model, folder } = await readAsModel(foreign, 'quantize');
  const { texts, given } = await textsOf(model, folder, asked, signal);
  const { renew } = await limited(() => textWork({ model, folder }, given));
  const { quantizeModel } = await import('../../stages/quantize/work.ts');
  const more = minElements === undefined ? {} : { minimumElements: minElements, minimumTable: minElements };
  const onProgress = (progress: Parameters<Parameters<typeof quantizeModel>[3]['onProgress']>[0]): void => {
    renew();
    emit({ type: 'progress', step: foreign.called, progress });
  };
  const {
    model: made,
    metrics,
    matrices: weights,
  } = await quantizeModel(model, config, texts, { threads, signal, onProgress }, more);
  const { budget } = metrics.quantization;
  const { meanCosine: mean, minCosine: least } = metrics.deviation;
  const told: Calibrated = {
    ...{ texts: texts.seen.length, cosine: { mean, least } },
    ...(budget === undefined ? {} : { budget }),
  };
  return { graph: made.graph, weights, calibrated: told };
};
