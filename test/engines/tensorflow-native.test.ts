import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { tensorflow } from '../../engine/engines/tensorflow/index.ts';
import { load } from '../../engine/engines/tensorflow/load.ts';
import { train } from '../../engine/train.ts';
import { compiledRig } from '../rig/build.ts';
import { seesCalls, watched, watchedTitle } from '../rig/watched.ts';
import { workspace } from '../rig/workspace.ts';
import { apart, taskRequest } from './training.ts';
import { lossCurve } from './training-curve.ts';

const found = await tensorflow.find();
const missing = 'missing' in found ? ` (not there: ${found.missing})` : '';

/** Opens the engine as decant does and runs a product on it. */
const script = `
  import { tensorflow } from '${compiledRig}/engine/engines/tensorflow/index.js';
  import { GraphBuilder } from '${compiledRig}/graph/builder.js';
  const engine = await tensorflow.open();
  const builder = new GraphBuilder('product');
  const x = builder.input('x', 'float32', [1, 2]);
  const program = await engine.compile(builder.freeze([builder.op('MatMul', [x, builder.op('Transpose', [x])], {}, 'y')]), { threads: 1 });
  const { y } = await program.run({ x: { dtype: 'float32', dims: [1, 2], data: Float32Array.of(3, 4) } });
  if (y.data[0] !== 25) throw new Error('3 * 3 + 4 * 4 is not ' + y.data[0]);
  await program.release();
`;

/** The conformance suite runs on it, too, in conformance.test.ts: this is what concerns the package and its device alone. */
describe.skipIf(missing !== '')(`TensorFlow.js over its own library${missing}`, () => {
  it('has the losses of the CPU over 50 updates', async () => {
    const [ours, theirs] = [await lossCurve(await tensorflow.open(), 50), await lossCurve(cpuEngine, 50)];
    const far = theirs.map((loss, i) => Math.abs((ours[i] ?? Number.NaN) - loss) / loss);
    expect(Math.max(...far)).toBeLessThan(1e-5);
  });

  it('moves the weights that the host moves, and leaves no tensor behind', async () => {
    const before = load().tf.memory().numTensors;
    const { model } = await train({ ...taskRequest('fill-mask'), engine: await tensorflow.open() });
    expect(apart((await train(taskRequest('fill-mask'))).model, model)).toBeLessThan(2e-5);
    expect(load().tf.memory().numTensors).toBe(before);
  });

  it(`says nothing, opens no socket and leaves no file when it is loaded${watchedTitle}`, () => {
    using space = workspace();
    const env = { DECANT_TFJS_NODE: process.env.DECANT_TFJS_NODE ?? '' };
    const seen = watched(space, [], { script: space.write('product.mjs', script), env });
    expect(seen).toMatchObject({ code: 0, output: '', left: [] });
    if (seesCalls) expect({ sockets: seen.sockets, elsewhere: seen.elsewhere }).toEqual({ sockets: [], elsewhere: [] });
  });

  it('says the same of itself from inside as from outside', async () => {
    expect('facts' in found && found.facts).toEqual((await tensorflow.open()).target.facts);
  });
});
