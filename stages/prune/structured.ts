import type { Graph } from '../../graph/graph.ts';
import { stageError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import { anatomyOf, bypassLayer, type Part, partsOf } from '../../models/anatomy.ts';
import { type Chosen, type Compensation, compensated } from './compensation/index.ts';
import type { Criterion, Subject } from './criteria/criterion.ts';
import { type CutResult, cutParts, keepLayers } from './cut.ts';
import { precise } from './precise.ts';
import { unitsOnTheWay } from './rounds.ts';
import { selectGlobal, selectTop } from './select.ts';
import { type Goal, goalsOf, type Keep, layersGoal } from './targets.ts';

export interface StructuredOptions {
  readonly keep: Keep;
  readonly criterion: Criterion;
  readonly scope: 'layer' | 'global';
  readonly rounds: number;
  /** What makes up for units that go. */
  readonly compensate: Compensation;
}

const NEURON_BLOCK = 8;

type Scores = ReadonlyMap<Part, Float64Array>;

/** One part in one round: what it keeps now, and what it keeps in the end. */
interface Step {
  readonly part: Part;
  readonly goal: Goal;
  readonly kept: number;
}

/** Heads and neurons of all layers compete with their kind; widths never do, since each is one group. */
const chooseGlobal = (steps: readonly Step[], scores: Scores, kind: 'heads' | 'ffn', left: number): Chosen => {
  const own = steps.filter(({ part }) => part.kind === kind);
  const sum = (count: (step: Step) => number): number => own.reduce((total, step) => total + count(step), 0);
  const kept = unitsOnTheWay(
    sum(({ part }) => part.count),
    sum(({ goal }) => goal.kept),
    left,
  );
  const blocks = kind === 'ffn' && own.every(({ goal }) => goal.kept % NEURON_BLOCK === 0);
  const scored = new Map(own.map(({ part }) => [part, scores.get(part) ?? new Float64Array(part.count)]));
  return selectGlobal(scored, kept, blocks ? NEURON_BLOCK : 1);
};

const choose = (steps: readonly Step[], scores: Scores, scope: 'layer' | 'global', left: number): Chosen => {
  const single = steps.map(({ part, kept }): [Part, readonly number[]] => [
    part,
    selectTop(scores.get(part) ?? new Float64Array(part.count), kept),
  ]);
  if (scope === 'layer') return new Map(single);
  const together = [...chooseGlobal(steps, scores, 'heads', left), ...chooseGlobal(steps, scores, 'ffn', left)];
  return new Map([...single, ...together]);
};

/** Scores of few units are listed; of many, the deciles. */
const LISTED = 32;

const summary = (scores: Float64Array): Json => {
  if (scores.length <= LISTED) return { scores: Array.from(scores, precise) };
  const sorted = scores.toSorted();
  const decile = (i: number): number => precise(sorted[Math.round(((sorted.length - 1) * i) / 10)] ?? 0);
  return { deciles: Array.from({ length: 11 }, (_, i) => decile(i)) };
};

/** Share of all importance that the kept units hold. */
const shareKept = (scores: Float64Array, kept: readonly number[]): number => {
  const total = scores.reduce((a, b) => a + b, 0);
  return total === 0 ? 1 : precise(kept.reduce((sum, unit) => sum + (scores[unit] ?? 0), 0) / total);
};

/** The layer that can be bypassed with least harm, and the score of each candidate by its number in the whole model. */
const leastLayer = async (subject: Subject, numbers: readonly number[], criterion: Criterion) => {
  const open = anatomyOf(subject.graph).layers.filter((layer) => layer.inputWidth === layer.outputWidth);
  const scores = await criterion.scoreLayers(subject, open);
  const at = scores.indexOf(Math.min(...scores));
  const named = open.map((layer, i) => [`layer ${numbers[layer.index]}`, precise(scores[i] ?? 0)]);
  return { layer: open[at], importance: Object.fromEntries(named) as Json };
};

/** Removes the layer whose absence harms least, measures again, and so on. */
const cutLayers = async (subject: Subject, count: number, kept: number, criterion: Criterion): Promise<CutResult> => {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const importance: Json[] = [];
  let { graph } = subject;
  while (numbers.length > kept) {
    const least = await leastLayer({ ...subject, graph }, numbers, criterion);
    if (least.layer === undefined) {
      throw stageError(
        `keep.layers: ${kept} of ${count} layers were to be kept, but the ${numbers.length} left all change the width ` +
          `of the stream and none can be bypassed; keep ${numbers.length}`,
      );
    }
    importance.push(least.importance);
    graph = bypassLayer(graph, least.layer);
    numbers.splice(least.layer.index, 1);
  }
  if (kept === count) return { graph, metrics: {} };
  return { graph, metrics: { layers: { from: count, to: kept, kept: numbers, importance } } };
};

/** This round's counts for the parts of the graph as it is now. */
const stepsOf = (graph: Graph, goals: ReadonlyMap<string, Goal>, left: number): readonly Step[] =>
  partsOf(anatomyOf(graph)).flatMap((part) => {
    const goal = goals.get(part.name);
    return goal === undefined ? [] : [{ part, goal, kept: unitsOnTheWay(part.count, goal.kept, left) }];
  });

const reportOf = ({ part, exact }: Goal, kept: readonly number[], scores: Float64Array, from: number): Json => ({
  from,
  to: kept.length,
  ...(exact === undefined || exact === kept.length ? {} : { asked: precise(exact) }),
  ...(part.count <= LISTED && from === scores.length ? { kept: [...kept] } : {}),
  importanceKept: shareKept(scores, kept),
  importance: summary(scores),
});

/**
 * Cuts layers first, then widths, heads and neurons, in `rounds` steps with importance measured before each. The graph
 * becomes really smaller: weights, shape constants and attributes.
 */
export const cutStructure = async (subject: Subject, options: StructuredOptions): Promise<CutResult> => {
  const { keep, criterion, scope, rounds, compensate } = options;
  const whole = anatomyOf(subject.graph);
  const [count, left] = [whole.layers.length, layersGoal(whole, keep)];
  const bypassed =
    typeof left === 'number'
      ? await cutLayers(subject, count, left, criterion)
      : keepLayers(subject.graph, count, left);
  let { graph } = bypassed;
  const goals = new Map(goalsOf(anatomyOf(graph), keep).map((goal) => [goal.part.name, goal]));
  const metrics: Record<string, Json> = { ...bypassed.metrics };
  for (let round = goals.size === 0 ? 0 : rounds; round > 0; round--) {
    const steps = stepsOf(graph, goals, round);
    const parts = steps.map(({ part }) => part);
    const scores = await criterion.scoreParts({ ...subject, graph }, parts);
    const chosen = choose(steps, scores, scope, round);
    for (const { part, goal } of steps) {
      metrics[part.name] = reportOf(
        goal,
        chosen.get(part) ?? [],
        scores.get(part) ?? new Float64Array(),
        goal.part.count,
      );
    }
    const ready = await compensated({ ...subject, graph }, compensate, chosen);
    graph = cutParts(ready, chosen);
  }
  return { graph, metrics };
};
