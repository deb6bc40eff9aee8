import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import { workspace } from '../rig/workspace.ts';

const pipeline = (gates: string): string => `name: x
data: { uses: csv, file: real.csv }
stages:
  - { id: teacher, uses: train, architecture: {} }
  - { id: int8, uses: quantize }
${gates}`;

const load = async (gates: string): Promise<readonly Gate[]> => {
  using space = workspace();
  const rows = Array.from({ length: 20 }, (_, i) => `some words ${i},a\nother words ${i},b\n`);
  space.write('real.csv', `text,label\n${rows.join('')}`);
  return (await loadPipeline(space.write('pipeline.yaml', pipeline(gates)), [], decantCatalogue)).gates;
};

/** What `decant validate` prints about the gates of a file. */
const problems = async (gates: string): Promise<string> => {
  const error: unknown = await load(gates).catch((problem: unknown) => problem);
  if (!isUserError(error, 'request')) return 'valid';
  return error.message.replaceAll(/\S*decant-\w+\//g, '');
};

describe('gates of a pipeline', () => {
  it('are one limit each, in the units of the report', async () => {
    const gates = await load(`gates:
  int8:
    accuracy: { min: 79%, maxDrop: 0.5pt, versus: teacher, confidence: 0.9 }
    p50: { max: 200us, maxRatio: 1.05, versus: baseline, batch: 32 }
    bytes: { max: 2MB }
    parameters: { max: 2500000 }
`);
    expect(gates.map(({ stage, figure, limit, value, versus }) => [stage, figure, limit, value, versus])).toEqual([
      ['int8', 'accuracy', 'min', 0.79, null],
      ['int8', 'accuracy', 'maxDrop', 0.005, 'teacher'],
      ['int8', 'p50', 'max', 0.2, null],
      ['int8', 'p50', 'maxRatio', 1.05, 'baseline'],
      ['int8', 'bytes', 'max', 2e6, null],
      ['int8', 'parameters', 'max', 2.5e6, null],
    ]);
    expect(gates.map(({ confidence, batch }) => [confidence, batch])).toEqual([
      ...[
        [0.9, null],
        [0.9, null],
        [0.95, 32],
        [0.95, 32],
      ],
      ...[
        [0.95, null],
        [0.95, null],
      ],
    ]);
  });

  it('are checked at their place', async () => {
    expect(
      await problems(`gates:
  int9: { bytes: { max: 2MB } }
  int8:
    acuracy: { min: 70% }
    accuracy: { maxDrop: 0.5, versus: techer }
    bytes: { maxRatio: 1 }
    p50: { max: 2 }
    macs: {}
  teacher: {}
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:7:3: there is no stage "int9" [unknown-stage]
        7 |   int9: { bytes: { max: 2MB } }
          |   ^^^^
          = did you mean "int8"?

      pipeline.yaml:9:5: unknown option "acuracy" of the gates of "int8" [unknown-key]
        9 |     acuracy: { min: 70% }
          |     ^^^^^^^
          = did you mean "accuracy"?

      pipeline.yaml:10:26: maxDrop is 0.5; expected points such as 0.5pt [wrong-type]
        10 |     accuracy: { maxDrop: 0.5, versus: techer }
           |                          ^^^

      pipeline.yaml:11:12: bytes: maxRatio needs versus: a stage, or baseline [bad-value]
        11 |     bytes: { maxRatio: 1 }
           |            ^^^^^^^^^^^^^^^

      pipeline.yaml:12:17: max is 2; expected a time such as 0.2ms [wrong-type]
        12 |     p50: { max: 2 }
           |                 ^

      pipeline.yaml:13:11: macs: there is no limit in it [bad-value]
        13 |     macs: {}
           |           ^^

      pipeline.yaml:14:12: the gates of "teacher": expected at least one figure with a limit [bad-value]
        14 |   teacher: {}
           |            ^^

      7 problems; nothing was run."
    `);
  });

  it('are a mapping, and name what they are held against', async () => {
    expect(await problems('gates: [int8]\n')).toMatchInlineSnapshot(`
      "pipeline.yaml:6:8: gates is a list; expected a mapping [wrong-type]
        6 | gates: [int8]
          |        ^^^^^^

      1 problem; nothing was run."
    `);
    expect(await problems('gates: { int8: { p50: { maxRatio: 1, versus: techer } } }\n')).toMatchInlineSnapshot(`
      "pipeline.yaml:6:46: there is no stage "techer" [unknown-stage]
        6 | gates: { int8: { p50: { maxRatio: 1, versus: techer } } }
          |                                              ^^^^^^
          = did you mean "teacher"?

      1 problem; nothing was run."
    `);
    expect(await problems('gates: { int8: { bytes: { max: 1kB, versus: teacher } } }\n')).toMatchInlineSnapshot(`
      "pipeline.yaml:6:25: bytes: versus has no meaning without maxRatio [bad-value]
        6 | gates: { int8: { bytes: { max: 1kB, versus: teacher } } }
          |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });
});
