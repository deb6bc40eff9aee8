import type { Engine, HostTensor } from '../../engine.ts';
import { Traffic } from '../traffic.ts';
import { TensorBuffer } from './buffer.ts';
import { lackingIn } from './lacking.ts';
import type { Library } from './library.ts';
import { planOf } from './plan.ts';
import { TensorProgram } from './program.ts';

/** Runs graphs on TensorFlow.js, whatever computes below it. `facts` says what that is. */
export const tensorflowEngine = (tf: Library, facts: Readonly<Record<string, string>>): Engine => {
  const traffic = new Traffic();
  return {
    target: {
      ...{ name: 'tensorflow', facts, optimizer: 'graph', lacking: lackingIn },
      ...(facts.device === 'GPU' ? { ownMemory: {} } : {}),
    },
    compile: async (graph, options) => {
      const { optimization, optimizedFile, profilePrefix } = options;
      if (optimizedFile !== undefined || profilePrefix !== undefined) {
        throw new TypeError('the engine tensorflow writes neither optimized graphs nor profiles');
      }
      return new TensorProgram(tf, planOf(tf, graph, optimization !== 'none'), traffic);
    },
    buffer: async (data: HostTensor) => new TensorBuffer(tf, traffic, data),
    moved: () => traffic.moved,
  };
};
