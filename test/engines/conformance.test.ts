import { describe, it } from 'vitest';
import { engines } from '../../engine/engines/index.ts';
import { type Conformant, describeConformance, describeReference } from './conformance.ts';
import { tensorflowSettings } from './tensorflow-settings.ts';

/** What each engine is measured by, by its name; 'reference' is what the others are measured against. */
const settings: Readonly<Record<string, Pick<Conformant, 'tolerance' | 'lacks'> | 'reference'>> = {
  cpu: 'reference',
  tensorflow: tensorflowSettings,
};

for (const { name, open, find } of engines) {
  const found = await find();
  const setting = settings[name];
  if (setting === undefined) throw new Error(`the suite has no settings for the engine '${name}'`);
  if ('missing' in found) {
    describe(`the engine ${name}`, () => it.skip(`is not there: ${found.missing}`, () => {}));
  } else if (setting === 'reference') describeReference(name, open);
  else describeConformance({ name, open, ...setting });
}
