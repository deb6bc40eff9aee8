import { cpSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { goldenFolder } from '../models/golden-checkpoints.ts';
import { tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** The plan of some stages, or what is wrong with them, each with the text that it points at. */
const planned = async (stages: string, data = '{ uses: csv, file: tiny.csv, maxLength: 16 }') => {
  using space = workspace();
  space.write('tiny.csv', tinyCsv());
  space.write('texts.csv', tinyCsv());
  for (const name of ['bert', 'bert-features', 'bert-mlm', 'roberta-features'])
    cpSync(goldenFolder(name), space.path(name), { recursive: true });
  const text = `name: p\ndata: ${data}\nstages:\n${stages}`;
  const lines = text.split('\n');
  try {
    const plan = await loadPipeline(space.write('pipeline.yaml', text), [], decantCatalogue, () => undefined);
    return {
      steps: plan.steps.map(({ id, inputs }) => [id, Object.values(inputs).map(({ step }) => step)]),
      problems: [],
    };
  } catch (error) {
    if (!isUserError(error, 'request')) throw error;
    const problems: readonly { message: string; line: number; column: number }[] = Object(error.facts).problems;
    return {
      steps: [],
      problems: problems.map(({ message, line, column }) => [message, (lines[line - 1] ?? '').slice(column - 1)]),
    };
  }
};

const two = `  - { id: encoder, uses: import, model: ./bert-features }
  - { id: a, uses: train, epochs: 1 }
  - { id: b, uses: train, from: encoder, epochs: 2 }
`;
const student = (options: string): string => `  - { id: student, uses: distill, from: encoder, ${options} }\n`;

describe('several teachers in a plan', () => {
  it('label each for themselves, and are mixed to one', async () => {
    const { steps, problems } = await planned(`${two}${student('teacher: { from: [a, { id: b, weight: 2 }] }')}`);
    expect(problems).toEqual([]);
    const of = (id: string): unknown => steps.find(([step]) => step === id)?.[1];
    expect(of('student/label')).toEqual(['dataset', 'a']);
    expect(of('student/label-2')).toEqual(['dataset', 'b']);
    expect(of('student/mix')).toEqual(['dataset', 'student/label', 'student/label-2']);
    expect(of('student')).toEqual(['dataset', 'student/mix', 'encoder']);
  });

  it('come in themselves where losses look into them, each once', async () => {
    const losses =
      'losses: [{ uses: kl }, { uses: hidden, teacher: b }, { uses: relations, teacher: a }, { uses: embeddings, teacher: b }]';
    const { steps, problems } = await planned(`${two}${student(`teacher: { from: [a, b] }, ${losses}`)}`);
    expect(problems).toEqual([]);
    expect(steps.find(([id]) => id === 'student')?.[1]).toEqual(['dataset', 'student/mix', 'b', 'a', 'encoder']);
  });

  it('share the labels of a student who has one of them alone', async () => {
    const { steps } = await planned(
      `${two}${student('teacher: a')}${student('teacher: { from: [a, b] }').replace('student', 'other')}`,
    );
    expect(steps.map(([id]) => id)).toEqual(expect.arrayContaining(['student/label', 'other/label', 'other/mix']));
    expect(steps.find(([id]) => id === 'other/mix')?.[1]).toEqual(['dataset', 'student/label', 'other/label']);
  });

  it('can be a chain: a student of the same shape is the teacher of the next, a smaller one its assistant', async () => {
    const chain = `${two}${student('teacher: a').replace('student', 'again')}  - { id: assistant, uses: prune, keep: { ffn: 50% }, criterion: magnitude, recover: { uses: distill, teacher: { from: [a, again], by: best } } }
  - { id: small, uses: prune, keep: { heads: 50% }, criterion: magnitude }
  - { id: last, uses: distill, teacher: assistant }
`;
    const { steps, problems } = await planned(chain);
    expect(problems).toEqual([]);
    expect(steps.find(([id]) => id === 'assistant/mix')?.[1]).toEqual([
      'dataset',
      'assistant/label',
      'assistant/label-2',
    ]);
    expect(steps.find(([id]) => id === 'last/label')?.[1]).toEqual(['dataset', 'assistant']);
  });

  it.each<[string, string, string, string, string?]>([
    ['one that nobody makes', student('teacher: { from: [a, c] }'), 'there is no stage "c"', 'c] }'],
    ['one alone', student('teacher: { from: [a] }'), 'expected two teachers or more', '[a] }'],
    ['one twice', student('teacher: { from: [a, b, a] }'), '"a" is a teacher twice; give it a weight instead', 'a] }'],
    [
      'weights where each text has one',
      student('teacher: { from: [a, { id: b, weight: 2 }], by: best }'),
      'by: best takes one teacher a text; weights are for by: mean',
      'best }',
    ],
    [
      'other classes',
      `  - { id: other, uses: import, model: ./bert }\n${student('teacher: { from: [a, other] }')}`,
      'the checkpoint classifies into 3 labels (animal, money, travel), the data has 3 (food, motion, sleep)',
      './bert }',
    ],
    [
      'one that knows no classes',
      student('teacher: { from: [a, encoder] }'),
      'the teacher gives features, not class scores: train it first',
      'encoder] }',
    ],
    [
      'hidden states of two',
      student('teacher: { from: [a, b] }, hidden: {}'),
      'hidden looks into one teacher, and there are several: write { uses: hidden, teacher: a or teacher: b } into losses',
      '{} }',
    ],
    [
      'a loss that looks into either',
      student('teacher: { from: [a, b] }, losses: [{ uses: attention }]'),
      "the loss 'attention' looks into one teacher, and there are several: say teacher: a or teacher: b",
      '{ uses: attention',
    ],
    [
      'a loss that looks into another model',
      student('teacher: { from: [a, b] }, losses: [{ uses: hidden, teacher: encoder }]'),
      '"encoder" is no teacher here; expected a or b',
      'encoder }',
    ],
    [
      'answers of one of them',
      student('teacher: { from: [a, b] }, losses: [{ uses: kl, teacher: a }]'),
      'teacher',
      'teacher: a',
    ],
  ])('are refused: %s', async (_, stages, message, at) => {
    const { problems } = await planned(`${two}${stages}`);
    expect(problems.map(([said]) => said).join('\n')).toContain(message);
    expect(problems.map(([, where]) => where).join('\n')).toContain(at);
  });

  it('are looked into by students of their own tokens alone, wherever these come from', async () => {
    const looking = (model: string, options: string) =>
      planned(
        `${two}  - { id: other, uses: import, model: ./${model}, head: new }\n${student(options).replace('encoder', 'other')}`,
      );
    const losses = 'losses: [{ uses: kl }, { uses: hidden, teacher: b }]';
    const strange = await looking('roberta-features', `teacher: { from: [a, b] }, ${losses}`);
    const message =
      'student and teacher cut texts into different tokens: what they compute inside cannot be compared; leave such losses out, or cut the student from the teacher';
    expect(strange.problems).toEqual([[message, '{ uses: hidden, teacher: b }] }']]);
    expect((await looking('roberta-features', 'teacher: a, hidden: {}')).problems).toEqual([[message, '{} }']]);
    expect((await looking('roberta-features', 'teacher: { from: [a, b] }')).problems).toEqual([]);
    expect((await looking('bert-mlm', `teacher: { from: [a, b] }, ${losses}`)).problems).toEqual([]);
  });

  it('are refused where a teacher answers in every step, and where none is the best', async () => {
    const masked = '  - { id: a, uses: import, model: ./bert-mlm }\n  - { id: b, uses: train, epochs: 1 }\n';
    const along = await planned(
      `${masked}${student('teacher: { from: [a, b] }').replace('encoder', 'a')}`,
      '{ uses: csv, file: texts.csv, task: fill-mask, maxLength: 16 }',
    );
    expect(along.problems.map(([said]) => said)).toContain(
      'such a teacher answers in every step, and only one can; expected the id of one stage',
    );
    const vectors =
      '  - { id: a, uses: import, model: ./bert-features }\n  - { id: b, uses: prune, keep: { ffn: 50% }, criterion: magnitude }\n';
    const best = await planned(
      `${vectors}${student('teacher: { from: [a, b], by: best }').replace('encoder', 'a')}`,
      '{ uses: csv, file: texts.csv, task: features, maxLength: 16 }',
    );
    expect(best.problems.map(([said]) => said)).toContain('by: best mixes no answers of features; expected mean');
  });

  it('of a decoder answer before where label asks for that, of each token so many', async () => {
    const decoder = '  - { id: a, uses: train, steps: 2, architecture: { uses: llama, vocabulary: 300 } }\n';
    const made = (options: string) =>
      planned(
        `${decoder}  - { id: b, uses: train, steps: 4, from: a }\n${student(options).replace('encoder', 'a')}`,
        '{ uses: csv, file: texts.csv, task: text-generation, maxLength: 16 }',
      );
    const inputs = async (options: string) => (await made(options)).steps.find(([id]) => id === 'student')?.[1];
    expect(await inputs('teacher: b')).toEqual(['dataset', 'b', 'a']);
    expect(await inputs('teacher: b, label: {}')).toEqual(['dataset', 'student/label', 'a']);
    const wrong = async (options: string) => (await made(options)).problems.map(([said]) => said);
    expect(await wrong('teacher: { from: [a, b] }, label: { keep: 8 }')).toContain(
      'of each answer the largest probabilities are kept, and of two teachers they are of other tokens; expected the id of one stage',
    );
    expect(await wrong('teacher: b, label: {}, losses: [{ uses: mse }]')).toEqual([
      "the loss 'mse' reads every score of the teacher, of which the largest are kept; expected kl or reverse-kl, or no label",
    ]);
    expect(await wrong('teacher: b, label: {}, losses: [{ uses: kl, temperature: 4 }]')).toEqual([
      'what is kept was softened once, by the temperature of the stage; leave this one out, or label',
    ]);
    expect(await wrong('teacher: b, label: {}, select: { share: 50%, by: disagreement }')).toEqual([
      'by: disagreement looks at answers, and of those over a vocabulary the largest are kept; expected random',
    ]);
    expect(await wrong('teacher: b, label: {}, written: { share: 0.5 }')).toEqual([
      'what a teacher said before is about the texts of the data, and not about those that the student writes; leave label out',
    ]);
    expect(await wrong('teacher: b, written: { share: { from: 0, to: 0.5 }, prompt: 4 }')).toEqual([]);
    expect(await wrong('teacher: b, written: { share: 0.5 }')).toEqual([
      '16 tokens of texts would stay that are read 16 at a time: nothing would be written; expected fewer',
    ]);
    expect(await wrong('teacher: b, written: { share: 2 }')).not.toEqual([]);
    expect((await planned(`${two}${student('teacher: a, written: { share: 0.5 }')}`)).problems).toEqual([
      [
        'a student writes texts where each token is asked for by those before it, and the data is for text-classification; leave written out',
        '{ share: 0.5 } }',
      ],
    ]);
    expect((await planned(`${two}${student('teacher: a, label: { keep: 8 }')}`)).problems).toEqual([
      [
        'keep is for what a teacher says of the tokens that follow each other, and the data is for text-classification; leave it out',
        '8 } }',
      ],
    ]);
  });
});
