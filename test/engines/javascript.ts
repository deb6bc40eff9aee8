import { createRequire } from 'node:module';
import type { Engine } from '../../engine/engine.ts';
import { tensorflowEngine } from '../../engine/engines/tensorflow/engine.ts';
import type { Library } from '../../engine/engines/tensorflow/library.ts';

const require = createRequire(import.meta.url);

/** TensorFlow.js with its backend written in JavaScript: it proves the mapping of operators, never the speed of a device. */
export const javascript = (): Library => {
  const tf: Library = require('@tensorflow/tfjs-core');
  require('@tensorflow/tfjs-backend-cpu');
  tf.enableProdMode();
  return tf;
};

export const javascriptEngine = (): Engine => tensorflowEngine(javascript(), { backend: 'cpu' });
