import type { TrainRequest } from '../../../engine/train-request.ts';
import type { Graph } from '../../../graph/graph.ts';
import type { Json } from '../../../ground/json.ts';
import { anatomyOf, type Part } from '../../../models/anatomy.ts';
import type { Model } from '../../../models/model.ts';
import type { PruneOptions } from '../config.ts';
import { cutParts, keepLayers } from '../cut.ts';
import { infoAfter } from '../info.ts';
import { precise } from '../precise.ts';
import { type Choice, choicesIn, isPart, partIn } from './choice.ts';
import { type Chosen, type LearntGates, learntGates } from './learnt.ts';

type All = ReadonlyMap<Choice, Chosen>;

/** Numbers of the layers that stay, of all that there were. */
const layersLeft = (all: All, count: number): readonly number[] => {
  const gone = new Set(
    Array.from(all).flatMap(([{ of }, { kept }]) =>
      isPart(of) ? [] : of.flatMap(({ index }, at) => (kept.includes(at) ? [] : [index])),
    ),
  );
  return Array.from({ length: count }, (_, layer) => layer).filter((layer) => !gone.has(layer));
};

const cutGraph = (graph: Graph, all: All): Graph => {
  const count = anatomyOf(graph).layers.length;
  const parts = Array.from(all).flatMap(([choice, { kept }]): readonly (readonly [Part, readonly number[]])[] => {
    const part = partIn(choice);
    return part === undefined ? [] : [[part, kept]];
  });
  return keepLayers(cutParts(graph, new Map(parts)), count, layersLeft(all, count)).graph;
};

const cut = (model: Model, { chosen }: LearntGates): Model => {
  const graph = cutGraph(model.graph, chosen());
  return { ...model, graph, info: infoAfter(model.info, graph) };
};

/** Units that are listed one by one; of more it is said how many stay. */
const LISTED = 32;

/** How many stay, and how open the gates were of what stays and of what goes. */
const reportOf = ({ count, of }: Choice, { kept, open }: Chosen, layers: readonly number[], whole: number): Json => {
  const stays = new Set(kept);
  const mean = (wanted: boolean): number => {
    const own = Array.from(open).filter((_, unit) => stays.has(unit) === wanted);
    return precise(own.reduce((sum, share) => sum + share, 0) / Math.max(1, own.length));
  };
  const told = { open: { stays: mean(true), goes: mean(false) } };
  if (!isPart(of)) return { from: whole, to: layers.length, kept: [...layers], ...told };
  return { from: count, to: kept.length, ...(count <= LISTED ? { kept: [...kept] } : {}), ...told };
};

/** What became of everything that is left; a layer that goes takes its parts along. */
const reported = ({ chosen }: LearntGates, whole: number): { readonly [key: string]: Json } => {
  const all = chosen();
  const layers = layersLeft(all, whole);
  const isLeft = (choice: Choice): boolean => {
    const own = partIn(choice)?.layers ?? [];
    return own.length === 0 || own.some((layer) => layers.includes(layer));
  };
  return Object.fromEntries(
    Array.from(all).flatMap(([choice, found]) =>
      isLeft(choice) ? [[choice.name, reportOf(choice, found, layers, whole)]] : [],
    ),
  );
};

/** A training that learns which units go, and then cuts them. */
export const learningGates = (
  request: TrainRequest,
  options: PruneOptions,
): { readonly request: TrainRequest; finish(model: Model): Model; report(): { readonly [key: string]: Json } } => {
  const { model, options: training, phases, seed } = request;
  const { keep = {}, scope } = options;
  const anatomy = anatomyOf(model.graph);
  const choices = choicesIn(anatomy, keep);
  const learnt = learntGates(model.graph, { choices, scope, seed, learningRate: training.learningRate });
  return {
    request: {
      ...request,
      gates: learnt.gates,
      phases: phases.map((phase) => ({ ...phase, losses: [...phase.losses, learnt.loss] })),
      hook: { ...learnt.hook, ...(request.hook?.holds === undefined ? {} : { holds: request.hook.holds }) },
    },
    finish: (trained) => cut(trained, learnt),
    report: () => ({ criterion: options.criterion, scope, ...reported(learnt, anatomy.layers.length) }),
  };
};
