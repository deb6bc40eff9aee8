import { type DatasetTask, taskWith } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import type { PruneOptions as Config } from '../../stages/prune/config.ts';
import type { PruneContext } from '../../stages/prune/subject.ts';
import { requestError } from '../diagnostic.ts';
import { limited } from '../guard/limits.ts';
import { textWork } from '../guard/work.ts';
import { defaultThreads } from '../plan/threads.ts';
import type { Foreign } from './foreign.ts';
import type { Reading } from './named.ts';
import { CALIBRATION, readAsModel, textsAlone } from './seen-texts.ts';
import type { PrunedGraph, PruneOptions } from './types/graphs.ts';

/** What the prune stage would be asked for in a file. */
const configOf = async ({ sparsity, pattern, saliency, data, calibration }: PruneOptions): Promise<Config> => {
  const { pruneConfig } = await import('../../stages/prune/config.ts');
  const { looksAtGradients, looksAtInputs } = await import('../../stages/prune/zero-options.ts');
  const parsed = pruneConfig.safeParse({
    ...(sparsity === undefined ? {} : { sparsity }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(saliency === undefined ? {} : { saliency }),
    ...(calibration === undefined ? {} : { calibration }),
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw requestError(`--${issue?.path.join('.') || 'sparsity'}: ${issue?.message}`);
  }
  if (looksAtGradients(parsed.data))
    throw requestError(`--saliency: ${saliency} learns from labelled texts: take the prune stage of decant run`);
  const looks = looksAtInputs(parsed.data);
  if (looks && data === undefined)
    throw requestError(`--saliency: ${saliency} looks at texts; name a file of them with --data`);
  if (!looks && data !== undefined)
    throw requestError(
      `--data: saliency ${saliency ?? 'magnitude'} looks at no texts; leave it out, or take wanda or sparsegpt`,
    );
  return parsed.data;
};

type Made = { readonly graph: Foreign['graph']; readonly told: NonNullable<PrunedGraph['zeros']> };

const toldOf = async (graph: Foreign['graph'], config: Config, names: readonly string[]): Promise<Made['told']> => {
  const { zeroShares } = await import('../../stages/prune/sparse.ts');
  const { zerosAsked } = await import('../../stages/prune/zero-options.ts');
  const { pattern, saliency } = zerosAsked(config);
  const shares = zeroShares(graph, names);
  return { pattern: pattern.text, saliency: saliency.name, matrices: shares.pruned, model: shares.model };
};

const SEED = 1;

/** The model and texts that it reads, where inputs are looked at. */
const lookedAt = async (
  foreign: Foreign,
  asked: PruneOptions & { readonly data: string },
  emit: Reading['emit'],
): Promise<{ readonly model: Model; readonly context: PruneContext }> => {
  const { signal = new AbortController().signal, threads = defaultThreads() } = asked;
  const { model, folder } = await readAsModel(foreign, 'prune');
  const given = await textsAlone({ model, folder }, asked, 1);
  const { renew } = await limited(() => textWork({ model, folder }, given));
  const examples = given.map((text, id) => ({ id, ...text }));
  const task: DatasetTask = model.info.task;
  return {
    model,
    context: {
      ...{ seed: SEED, threads, signal },
      texts: {
        ...{ task, classes: [], maxLength: asked.maxLength ?? model.info.maxLength, labelled: examples.length },
        pick: async (places) => Array.from(places, (at) => examples[at] ?? []).flat(),
        all: async function* () {
          yield* examples;
        },
      },
      progress: (progress) => {
        renew();
        emit({ type: 'progress', step: foreign.called, progress });
      },
    },
  };
};

/** Sets weights of a graph to zero as the prune stage does at once. */
export const zerosIn = async (foreign: Foreign, asked: PruneOptions, emit: Reading['emit']): Promise<Made> => {
  const config = await configOf(asked);
  const { makeZeros, sparseNames, zeroWeights } = await import('../../stages/prune/zeroed.ts');
  const { data } = asked;
  if (data === undefined) {
    const around = foreign.around.kind === 'bare' ? { task: taskWith('text', 'vector') } : foreign.around.model.info;
    const bare = { graph: foreign.graph, info: around };
    const graph = await zeroWeights(bare, config, SEED);
    return { graph, told: await toldOf(graph, config, sparseNames(bare, config)) };
  }
  const { model, context } = await lookedAt(
    foreign,
    { ...asked, data, calibration: asked.calibration ?? CALIBRATION },
    emit,
  );
  const { model: made } = await makeZeros(model, config, context);
  return { graph: made.graph, told: await toldOf(made.graph, config, sparseNames(model, config)) };
};
