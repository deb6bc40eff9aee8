import type { StageSummary } from '../record.ts';

/** What a run has done already to the model of a stage: nobody needs to be told to do that. */
export interface Done {
  /** Whether the model was quantized. */
  readonly quantized: boolean;
  /** Stages that quantize it. */
  readonly quantizedBy: readonly string[];
  /** What of it, or of what it was made from, was cut: heads, ffn, embedding, vocabulary. */
  readonly cut: ReadonlySet<string>;
}

export const nothingDone: Done = { quantized: false, quantizedBy: [], cut: new Set() };

type Stages = readonly Pick<StageSummary, 'id' | 'uses' | 'config' | 'inputs' | 'step'>[];

/** A stage and those that its model was made from, nearest first. */
const lineOf = (stages: Stages, id: string): Stages => {
  const stage = stages.find((one) => one.id === id);
  if (stage === undefined) return [];
  const from = stage.inputs.model ?? stage.inputs.from;
  return [stage, ...(from === undefined || from === id ? [] : lineOf(stages, from))];
};

const keptOf = ({ uses, config: { keep } }: Stages[number]): readonly string[] =>
  uses === 'prune' && typeof keep === 'object' && keep !== null ? Object.keys(keep) : [];

export const doneTo = (stages: Stages, id: string): Done => {
  const line = lineOf(stages, id);
  const takers = stages.filter(({ inputs, uses, step }) => uses === 'quantize' && inputs.model === id && step !== null);
  return {
    quantized: line.some(({ uses }) => uses === 'quantize'),
    quantizedBy: takers.map((stage) => stage.id),
    cut: new Set(line.flatMap(keptOf)),
  };
};
