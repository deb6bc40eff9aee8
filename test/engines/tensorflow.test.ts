import { describeConformance } from './conformance.ts';
import { javascriptEngine } from './javascript.ts';
import { tensorflowSettings } from './tensorflow-settings.ts';

describeConformance({
  name: 'tensorflow on the JavaScript backend',
  open: async () => javascriptEngine(),
  ...tensorflowSettings,
});
