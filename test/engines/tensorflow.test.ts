import { describeConformance } from './conformance.ts';
import { javascriptEngine } from './javascript.ts';

describeConformance({
  name: 'tensorflow on the JavaScript backend',
  open: async () => javascriptEngine(),
  tolerance: { sample: 1e-5, graph: 1e-4 },
  lacks: ['Cast since 9: to float64'],
});
