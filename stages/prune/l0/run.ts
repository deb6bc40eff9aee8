import type { TrainRequest } from '../../../engine/train-request.ts';
import type { Json } from '../../../ground/json.ts';
import { anatomyOf } from '../../../models/anatomy.ts';
import type { Model } from '../../../models/model.ts';
import type { PruneOptions } from '../config.ts';
import { cutParts } from '../cut.ts';
import { infoAfter } from '../info.ts';
import { precise } from '../precise.ts';
import { type Goal, goalsOf } from '../targets.ts';
import { type LearntGates, learntGates } from './learnt.ts';

/** Heads and neurons that are to go, of the model that is trained. */
const goalsIn = (model: Model, { keep = {} }: PruneOptions): readonly Goal[] => {
  const { heads, ffn } = keep;
  return goalsOf(anatomyOf(model.graph), { heads, ffn }).filter(({ part, kept }) => kept < part.count);
};

const cut = (model: Model, { chosen }: LearntGates): Model => {
  const graph = cutParts(model.graph, new Map([...chosen()].map(([part, { kept }]) => [part, kept])));
  return { ...model, graph, info: infoAfter(model.info, graph) };
};

/** Units that are listed one by one; of more it is said how many stay. */
const LISTED = 32;

/** What became of each part: how many stay, and how open the gates were of what stays and of what goes. */
const reported = ({ chosen }: LearntGates): { readonly [key: string]: Json } =>
  Object.fromEntries(
    Array.from(chosen(), ([{ name, count }, { kept, open }]) => {
      const stays = new Set(kept);
      const mean = (wanted: boolean): number => {
        const own = Array.from(open).filter((_, unit) => stays.has(unit) === wanted);
        return precise(own.reduce((sum, share) => sum + share, 0) / Math.max(1, own.length));
      };
      const listed = count <= LISTED ? { kept: [...kept] } : {};
      return [name, { from: count, to: kept.length, ...listed, open: { stays: mean(true), goes: mean(false) } }];
    }),
  );

/** A training that learns which heads and neurons go, and then cuts them. */
export const learningGates = (
  request: TrainRequest,
  options: PruneOptions,
): { readonly request: TrainRequest; finish(model: Model): Model; report(): { readonly [key: string]: Json } } => {
  const { model, options: training, phases, seed } = request;
  const learning = { goals: goalsIn(model, options), scope: options.scope, seed, learningRate: training.learningRate };
  const learnt = learntGates(model.graph, learning);
  return {
    request: {
      ...request,
      gates: learnt.gates,
      phases: phases.map((phase) => ({ ...phase, losses: [...phase.losses, learnt.loss] })),
      hook: { ...learnt.hook, ...(request.hook?.holds === undefined ? {} : { holds: request.hook.holds }) },
    },
    finish: (trained) => cut(trained, learnt),
    report: () => ({ criterion: options.criterion, scope: options.scope, ...reported(learnt) }),
  };
};
