import { describe, it } from 'vitest';
import { engines } from '../../engine/engines/index.ts';
import { lacks as webgpuLacks } from '../../engine/engines/webgpu/lacks.ts';
import { type Conformant, describeConformance, describeReference } from './conformance.ts';
import { allowSoftwareAdapter } from './software-adapter.ts';
import { tensorflowSettings } from './tensorflow-settings.ts';

allowSoftwareAdapter();

/** What each engine is measured by, by its name; 'reference' is what the others are measured against. */
const settings: Readonly<Record<string, Pick<Conformant, 'tolerance' | 'lacks' | 'fallback'> | 'reference'>> = {
  cpu: 'reference',
  webgpu: { tolerance: { sample: 5e-6, graph: 5e-5 }, lacks: webgpuLacks },
  cuda: { tolerance: { sample: 5e-6, graph: 5e-5 }, lacks: [], fallback: 'allowed' },
  tensorflow: tensorflowSettings,
};

/** Drivers that compute on the processor prove kernels, and take minutes for what a card does in seconds. */
const runsOnSoftware: readonly string[] = [
  'a step of text-classification towards its targets',
  "a step of fill-mask towards a teacher's answers",
  'an update of text-classification: update',
  'a step of the checkpoint modernbert',
  'a student of half its heads and neurons, fused',
];

for (const { name, open, find } of engines) {
  const found = await find();
  const setting = settings[name];
  if (setting === undefined) throw new Error(`the suite has no settings for the engine '${name}'`);
  if ('missing' in found) {
    describe(`the engine ${name}`, () => it.skip(`is not there: ${found.missing}`, () => {}));
  } else if (setting === 'reference') describeReference(name, open);
  else {
    const isSlow = found.device.software === true;
    const runs: Pick<Conformant, 'runs'> = isSlow ? { runs: (graph) => runsOnSoftware.includes(graph.name) } : {};
    describeConformance({ name, open, ...setting, ...runs });
  }
}
