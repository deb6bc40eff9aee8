import { defaultEngine } from '../../engine/engines/index.ts';
import type { Artifact, Digest } from '../../ground/artifact.ts';
import { choice } from '../../ground/reported/choice.ts';
import type { ReadyStep, Step } from '../plan/plan.ts';
import type { StepRecord } from '../store/record.ts';

/** The artifacts that a step's inputs refer to. */
export const inputsOf = (step: Step, done: ReadonlyMap<string, StepRecord>): Readonly<Record<string, Artifact>> =>
  Object.fromEntries(
    Object.entries(step.inputs).map(([name, { step: from, output }]) => {
      const artifact = done.get(from)?.outputs[output];
      if (artifact === undefined)
        throw new Error(`step "${step.id}" needs the ${output} of "${from}", which made none`);
      return [name, artifact];
    }),
  );

/** The step with the engine that was chosen for it. */
export const readyStep = ({ engine, ...step }: Step, done: ReadonlyMap<string, StepRecord>): ReadyStep => {
  if (engine === undefined) return step;
  const named = typeof engine === 'string' ? engine : choice.parse(done.get(engine.step)?.metrics).engine;
  return named === defaultEngine ? step : { ...step, engine: named };
};

export const digestsOf = (inputs: Readonly<Record<string, Artifact>>): Readonly<Record<string, Digest>> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { digest }]) => [name, digest]));
