import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { train } from '../../engine/train.ts';
import { describeConformance } from './conformance.ts';
import { javascript, javascriptEngine } from './javascript.ts';
import { tensorflowSettings } from './tensorflow-settings.ts';
import { apart, plainRequest } from './training.ts';
import { lossCurve } from './training-curve.ts';
import { wholeGraphs } from './whole-graphs.ts';

describeConformance({
  name: 'tensorflow on the JavaScript backend',
  open: async () => javascriptEngine(),
  ...tensorflowSettings,
});

describe('training on TensorFlow.js', () => {
  /** Of the loss, over 50 updates: float32 in another order. */
  const SAME_CURVE = 1e-5;

  it('has the losses of the CPU over 50 updates', async () => {
    const [ours, theirs] = [await lossCurve(javascriptEngine(), 50), await lossCurve(cpuEngine, 50)];
    expect(theirs.at(-1)).toBeLessThan(0.9 * (theirs[0] ?? 0));
    const far = theirs.map((loss, i) => Math.abs((ours[i] ?? Number.NaN) - loss) / loss);
    expect(Math.max(...far)).toBeLessThan(SAME_CURVE);
  });

  it('moves the weights that the host moves, and leaves no tensor behind', async () => {
    const request = () => plainRequest({ steps: 4, clip: 0.1, dropout: 0.1, accumulate: 2 });
    const before = javascript().memory().numTensors;
    const { model } = await train({ ...request(), engine: javascriptEngine() });
    expect(javascript().memory().numTensors).toBe(before);
    expect(apart((await train(request())).model, model)).toBeLessThan(2e-5);
    expect(apart(request().model, model)).toBeGreaterThan(1e-3);
  });
});

describe('memory of TensorFlow.js', () => {
  const held = (): number => javascript().memory().numTensors;

  it.each(['a step of text-classification towards its targets', 'a student in 8 bits'])(
    'is as it was after every run of %s, and after the program is released',
    async (name) => {
      const whole = wholeGraphs.find((graph) => graph.name === name);
      if (whole === undefined) throw new Error(`there is no graph '${name}'`);
      const { graph, feeds } = await whole.make();
      const before = held();
      const program = await javascriptEngine().compile(graph, { threads: 1 });
      const compiled = held();
      for (let run = 0; run < 3; run++) {
        await program.run(feeds);
        expect(held()).toBe(compiled);
      }
      await program.release();
      expect(held()).toBe(before);
    },
  );
});
