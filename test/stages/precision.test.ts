import { describe, expect, it } from 'vitest';
import { foreseeTraining } from '../../stages/train/foresee.ts';
import { everyTraining } from '../../stages/train/options.ts';
import { keyed, training } from './keyed.ts';

describe('the precision of training', () => {
  it.each(training)('belongs to the key of %s where it is another than the usual one', (_, stage, of) => {
    const usual = keyed(stage, of({}));
    expect(keyed(stage, of({ precision: 'fp32' }))).toEqual(usual);
    expect(JSON.stringify(usual)).not.toContain('precision');
    expect(JSON.stringify(keyed(stage, of({ precision: 'fp16' })))).toContain('"precision":"fp16"');
    expect(() => keyed(stage, of({ precision: 'bf16' }))).toThrow(/Invalid option: expected one of/);
  });

  it('is refused by devices without float16 alone', () => {
    const problemsOn = (device: { readonly name: string; readonly float16?: true }, precision: string) =>
      foreseeTraining(everyTraining.parse({ precision }), 'train', {
        ...{ models: {}, data: undefined, engine: { name: 'webgpu', device } },
      }).problems;
    expect(problemsOn({ name: 'A', float16: true }, 'fp16')).toEqual([]);
    expect(problemsOn({ name: 'A' }, 'fp32')).toEqual([]);
    expect(problemsOn({ name: 'A' }, 'fp16')).toEqual([
      {
        ...{ path: ['precision'], code: 'no-float16' },
        message:
          'the engine "webgpu" does not compute in float16 on A; leave precision out, or name an engine that does',
      },
    ]);
  });
});
