import { cpSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipelines, type Plans } from '../../pipeline/load.ts';
import { membersOf, ownSteps } from '../../pipeline/plan/members.ts';
import { goldenFolder } from '../models/golden-checkpoints.ts';
import { tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const models = `  - { id: encoder, uses: import, model: ./bert-features }
  - { id: mlm, uses: import, model: ./bert-mlm }
  - { id: french, uses: import, model: ./camembert-mlm }
  - { id: a, uses: train, from: encoder, epochs: 1 }
  - { id: b, uses: train, from: encoder, epochs: 1, seed: 2 }
`;

const student = (options: string): string => `${models}  - { id: student, uses: distill, from: a, ${options} }\n`;

const texts = '{ uses: csv, file: tiny.csv, maxLength: 16 }';
const masked = '{ uses: csv, file: tiny.csv, task: fill-mask, maxLength: 16 }';
const tagged = '{ uses: jsonl, file: tags.jsonl, task: token-classification, text: words, label: tags, maxLength: 16 }';

const fileOf = (stages: string, data: string, variants = ''): string =>
  `name: p\ndata: ${data}\nstages:\n${stages}${variants}`;

const plansOf = async (file: string): Promise<Plans> => {
  using space = workspace();
  space.write('tiny.csv', tinyCsv());
  const rows = Array.from({ length: 40 }, (_, i) => `{"words": ["cat", "runs${i}"], "tags": ["x", "y"]}\n`);
  space.write('tags.jsonl', rows.join(''));
  for (const name of ['bert-features', 'bert-mlm', 'camembert-mlm'])
    cpSync(goldenFolder(name), space.path(name), { recursive: true });
  return await loadPipelines(space.write('pipeline.yaml', file), [], decantCatalogue);
};

/** What is wrong with a file, each with the text that it points at. */
const problemsOf = async (file: string): Promise<string> => {
  const lines = file.split('\n');
  const error: unknown = await plansOf(file).catch((problem: unknown) => problem);
  if (!isUserError(error, 'request')) return error instanceof Error ? error.message : 'none';
  const problems: readonly { message: string; line: number; column: number }[] = Object(error.facts).problems;
  return problems
    .map(({ message, line, column }) => `${message} AT ${(lines[line - 1] ?? '').slice(column - 1)}`)
    .join('\n');
};

const inputsOf = ([plan]: Plans, step: string): readonly string[] =>
  Object.values(plan.steps.find(({ id }) => id === step)?.inputs ?? {}).map((ref) => ref.step);

const words = '{ uses: words, model: mlm }';

describe('augmentation in a plan', () => {
  it('asks a masked language model once for what several stages and variants draw from', async () => {
    const variants = `variants:
  - id: plain
  - { id: more, set: { stages.student.augment: [{ uses: words, model: mlm, share: 0.3 }] } }
`;
    const plans = await plansOf(fileOf(student(`teacher: a, augment: [${words}]`), texts, variants));
    expect(inputsOf(plans, 'student/reword')).toEqual(['dataset', 'mlm']);
    expect(inputsOf(plans, 'student')).toEqual(['dataset', 'student/reword', 'student/label', 'a']);
    const members = membersOf(plans);
    expect([...ownSteps(members, 1, decantCatalogue)]).toContain('student');
    expect([...ownSteps(members, 1, decantCatalogue)]).not.toContain('student/reword');
    const trained = await plansOf(
      fileOf(`${models}  - { id: c, uses: train, from: encoder, augment: [${words}] }\n`, texts),
    );
    expect(trained[0].steps.find(({ id }) => id === 'c/reword')?.config).toEqual({ top: 10, labelled: true });
    const recovered = `${models}  - { id: slim, uses: prune, from: a, keep: { ffn: 50% }, recover: { uses: distill, teacher: a, augment: [${words}] } }\n`;
    expect(inputsOf(await plansOf(fileOf(recovered, texts)), 'slim')).toContain('slim/reword');
  });

  it('is a grid of lists, the empty one among them, which is what is left out', async () => {
    const variants = `variants:
  grid:
    stages.student.augment: [[], [{ uses: tokens }], [{ uses: spans, share: 0.2 }], [{ uses: mix-up }], [${words}]]
`;
    const plans = await plansOf(fileOf(student('teacher: a'), texts, variants));
    expect(plans.map(({ variant }) => variant)).toEqual(['none', 'tokens', 'spans-0.2', 'mix-up', 'words-mlm']);
    const same = await plansOf(
      fileOf(
        student('teacher: a, augment: []'),
        texts,
        'variants:\n  - id: x\n  - { id: y, set: { stages.student.epochs: 2 } }\n',
      ),
    );
    const configs = [plans, same].map(([plan]) =>
      decantCatalogue.stages
        .find(({ uses }) => uses === 'distill')
        ?.config.parse(plan.steps.find(({ id }) => id === 'student')?.config),
    );
    expect(JSON.stringify(configs[1])).toBe(JSON.stringify(configs[0]));
  });

  it.each<[string, string, string, string?]>([
    ['no model that guesses words', 'teacher: a, augment: [{ uses: words }]', 'model'],
    [
      'one that reads other tokens',
      'teacher: a, augment: [{ uses: words, model: french }]',
      'the model and the masked language model cut texts into different tokens: name one with the same tokenizer, or leave words out AT french }] }',
    ],
    ['one that is not there', 'teacher: a, augment: [{ uses: words, model: c }]', 'there is no stage "c" AT c }] }'],
    [
      'one that guesses none',
      'teacher: b, augment: [{ uses: words, model: a }]',
      'the model is made for text-classification, and other words are guessed by a masked language model: name a stage with one AT a }] }',
    ],
    [
      'one twice',
      'teacher: a, augment: [{ uses: spans }, { uses: spans }]',
      'spans was listed before; expected each once AT spans }] }',
    ],
    [
      'tokens by two names',
      'teacher: a, tokenDropout: 0.1, augment: [{ uses: tokens }]',
      'augment lists tokens, which is tokenDropout by another name: leave one of them out AT tokens }] }',
    ],
    [
      'mixtures and hidden states',
      'teacher: a, hidden: {}, augment: [{ uses: mix-up }]',
      "which no teacher has read: leave it or the loss 'hidden' out AT mix-up }] }",
    ],
    [
      'mixtures and losses over texts',
      'teacher: a, losses: [{ uses: dist }], augment: [{ uses: mix-up }]',
      "the loss 'dist' compares single ones: leave one of them out AT mix-up }] }",
    ],
    ['a share of nothing', 'teacher: a, augment: [{ uses: spans, share: 0 }]', 'share'],
    [
      'words of tags',
      `teacher: a, augment: [${words}]`,
      'words puts others in place of those that data for token-classification has answers about: take tokens or spans AT words',
      tagged,
    ],
    [
      'mixtures of tags',
      'teacher: a, augment: [{ uses: mix-up }]',
      'mix-up mixes whole texts, and data for token-classification has answers about their words AT mix-up',
      tagged,
    ],
    [
      'spans of masked words',
      'teacher: mlm, augment: [{ uses: spans }]',
      'data for fill-mask has other tokens hidden at every update already AT spans',
      masked,
    ],
  ])('is refused: %s', async (_, options, message, data = texts) => {
    expect(await problemsOf(fileOf(student(options), data))).toContain(message);
  });
});

describe('a choice of texts in a plan', () => {
  it('reads what each of several teachers says, where it asks for that', async () => {
    const of = async (by: string) =>
      inputsOf(
        await plansOf(fileOf(student(`teacher: { from: [a, b] }, select: { share: 50%, by: ${by} }`), texts)),
        'student',
      );
    expect(await of('committee')).toEqual(['dataset', 'student/mix', 'student/label', 'student/label-2', 'a']);
    expect(await of('disagreement')).toEqual(['dataset', 'student/mix', 'a']);
  });

  it.each<[string, string, string, string?]>([
    [
      'a committee of one',
      'teacher: a, select: { share: 0.5, by: committee }',
      'by: committee asks how far teachers are from each other; expected two teachers or more AT committee } }',
    ],
    [
      'all of them',
      'teacher: a, select: { share: 100% }',
      'expected a share above 0 and below 1, as 0.5 or \'50%\'; found "100%" AT 100% } }',
    ],
    [
      'a student without answers',
      'teacher: a, select: { share: 0.5 }, task: features',
      'the student does not answer yet what the data asks',
    ],
    [
      'a teacher in the steps',
      'teacher: mlm, select: { share: 0.5, by: disagreement }',
      'by: disagreement looks at answers, and such a teacher answers in the steps alone; expected random AT disagreement } }',
      masked,
    ],
  ])('is refused: %s', async (_, options, message, data = texts) => {
    expect(await problemsOf(fileOf(student(options), data))).toContain(message);
  });
});
