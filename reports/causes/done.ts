import type { StageSummary } from '../record.ts';

/** What a run has done already to the model of a stage: nobody needs to be told to do that. */
export interface Done {
  /** Whether the model was quantized. */
  readonly quantized: boolean;
  /** What the stage that quantized it was asked for: embeddings, reduceRange, exclude. */
  readonly quantizedWith: ReadonlySet<string>;
  /** Stages that quantize it. */
  readonly quantizedBy: readonly string[];
  /** What of it, or of what it was made from, was cut: layers, hidden, heads, ffn, embedding, vocabulary. */
  readonly cut: ReadonlySet<string>;
}

export const nothingDone: Done = { quantized: false, quantizedWith: new Set(), quantizedBy: [], cut: new Set() };

type Stages = readonly Pick<StageSummary, 'id' | 'uses' | 'config' | 'inputs' | 'step'>[];

/** A stage and those that its model was made from, nearest first. */
const lineOf = (stages: Stages, id: string): Stages => {
  const stage = stages.find((one) => one.id === id);
  if (stage === undefined) return [];
  const from = stage.inputs.model ?? stage.inputs.from;
  return [stage, ...(from === undefined || from === id ? [] : lineOf(stages, from))];
};

const keptOf = ({ uses, config: { keep, budget } }: Stages[number]): readonly string[] => {
  if (uses !== 'prune') return [];
  const { cuts = [] } = Object(budget);
  return [...Object.keys(Object(keep)), ...(Array.isArray(cuts) ? cuts : [])];
};

/** Options of a quantization that are on; a list is on where it names something. Tables are quantized where nobody says otherwise. */
const askedOf = ({ uses, config }: Stages[number]): readonly string[] => {
  if (uses !== 'quantize') return [];
  const { embeddings = true, reduceRange = false, exclude = [] } = config;
  const isOn = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : value === true);
  return Object.entries({ embeddings, reduceRange, exclude }).flatMap(([name, value]) => (isOn(value) ? [name] : []));
};

/** Names of what was cut, as a sentence lists them. */
export const cutOf = ({ cut }: Done, ...wanted: readonly string[]): string =>
  wanted.filter((name) => cut.has(name)).join(' and ');

export const doneTo = (stages: Stages, id: string): Done => {
  const line = lineOf(stages, id);
  const takers = stages.filter(({ inputs, uses, step }) => uses === 'quantize' && inputs.model === id && step !== null);
  return {
    quantized: line.some(({ uses }) => uses === 'quantize'),
    quantizedWith: new Set(line.flatMap(askedOf)),
    quantizedBy: takers.map((stage) => stage.id),
    cut: new Set(line.flatMap(keptOf)),
  };
};
