import { stream } from '../../data/random.ts';
import type { Feeds, HostTensor, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { type GradientStep, gradientStep, graphAt } from '../../engine/gradient-step.ts';
import { weightFeeds } from '../../engine/weight-feeds.ts';
import type { Graph } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import { expectFloats } from '../../models/foreign.ts';
import type { Patient } from './patient.ts';

/** A graph at one shape with a loss over its answer, as it is fed and run. */
export interface Learning {
  readonly graph: Graph;
  readonly step: GradientStep;
  /** Inputs of the model. */
  readonly feeds: Feeds;
  /** What it answers before anything moves. */
  readonly answer: HostTensor & { readonly data: Float32Array };
  compile(graph: Graph): Promise<Program>;
}

export const learningOf = async (patient: Patient, kind: 'product' | 'squares'): Promise<Learning> => {
  const { foreign, threads } = patient;
  expectFloats(foreign, 'the file', 'trained');
  const [feeds = {}] = (await patient.tried()).feeds;
  const [answers = {}] = await patient.normal();
  const graph = graphAt(foreign.graph, feeds);
  const output = patient.answer();
  const answer = answers[output];
  if (!(answer?.data instanceof Float32Array)) throw modelError(`the output '${output}' is no float32`);
  const step = gradientStep(graph, output, kind);
  if (step.parameters.length === 0)
    throw modelError(`no float32 weight that was learned reaches the output '${output}'`);
  return {
    ...{ graph, step, feeds, answer: { ...answer, data: answer.data } },
    compile: (program) => cpuEngine.compile(program, { threads, optimization: 'basic', memory: 'pooled' }),
  };
};

/** Weights as they are fed, all of them. */
export const weightsFor = (program: Graph, graph: Graph): Feeds => weightFeeds(program, { graph }, []);

/** So many numbers around zero, always the same ones. */
export const normals = (purpose: string, count: number): Float32Array => {
  const random = stream(17, 'doctor', purpose);
  return Float32Array.from({ length: count }, () => random.normal());
};

export const dataOf = (name: string, outputs: Feeds): Float32Array => {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new Error(`no numbers were computed for '${name}'`);
};

/** The root of the mean square. */
export const spread = (numbers: Float32Array): number => {
  let sum = 0;
  for (const x of numbers) sum += x * x;
  return Math.sqrt(sum / Math.max(1, numbers.length));
};
