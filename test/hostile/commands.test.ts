import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { replaceFiles, soundFolder } from '../rig/hostile/folder.ts';
import { hostileGraphs } from '../rig/hostile/graphs.ts';
import { classes, classifier, FLOAT, fileOf, node, pooling, tokens, typed } from '../rig/hostile/proto.ts';
import { type Ended, faultsOf, runWatched } from '../rig/hostile/run.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** What one command may hold in memory for files of a few kilobytes. */
const MOST_BYTES = 500e6;

type Json = Record<string, unknown>;

let space: Workspace;
let folder = '';

beforeAll(() => {
  space = workspace();
  folder = space.path('model');
});
beforeEach(async () => void (await soundFolder(folder)));
afterAll(() => space[Symbol.dispose]());

const editJson = (name: string, edit: (json: Json) => Json): void => {
  const path = `${folder}/${name}`;
  writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, 'utf8')))));
};

const run = async (...args: readonly string[]): Promise<Ended> => {
  const ended = await runWatched(args, space.folder);
  expect(faultsOf(ended)).toEqual([]);
  expect(ended.peakBytes).toBeLessThan(MOST_BYTES);
  return ended;
};

const put = (name: string): void => {
  const graph = hostileGraphs.find((one) => one.name === name);
  replaceFiles(folder, { 'model.onnx': graph?.bytes() ?? '' });
};

describe('predict ends in one message', () => {
  it.each([
    [
      'Expand to 100 GB, by the number of texts',
      /the model was stopped: it took more than \d+ MB of memory|the model fails while it runs/,
    ],
    [
      'Expand to 8 GB, by the number of texts',
      /the model was stopped: it took more than \d+ MB of memory.+--memory MB/,
    ],
    ['ConstantOfShape of 100 GB', /makes a value of 100000000000 bytes whatever the text is/],
    ['a Loop without end inside an If', /is a Loop, and nobody can tell whether it ends/],
    ['a Scan of 20 million rounds', /node 'node of changed' is a Scan, and nobody can tell whether it ends, or when/],
    ['RandomNormalLike', /node 'node of drawn' is a RandomNormalLike, which draws random numbers/],
    ['a weight of 1000000 axes', /more than 64 axes of one tensor/],
    ['an unknown operator before MatMul', /is an operator that neither decant nor ONNX Runtime knows/],
    ['a table of two rows', /the token table of .+ has 2 rows/],
    ['the logarithm of -1', /the model gives NaN as class 'animal' of text 1 \("a text"\)/],
    [
      'answers of five columns',
      /names 3 labels \(animal, money, travel\), but the output 'logits' of .+ has 5 columns/,
    ],
    ['inputs of floats', /the input 'input_ids' is float32\[batch, sequence\]; expected int64/],
    ['an operator set of the far future', /written in operator set 1000000 of ONNX; decant reads 7 to 25/],
  ])('for a model of %s', async (name, message) => {
    put(name);
    const { code, stderr, stdout } = await run('predict', folder, 'a text');
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(message)]);
    expect(code).not.toBe(0);
  });

  it('where the time is over', async () => {
    put('products that take hours');
    const { code, stdout } = await run('predict', folder, 'a text', '--json', '--timeout', '1', '--memory', '4000');
    expect([code, JSON.parse(stdout).error.code]).toEqual([1, 'timeout']);
  });
});

const changed = (json: Json, signature: Json): Json => ({
  ...json,
  signature: { ...Object(json.signature), ...signature },
});

describe('export ends in one message', () => {
  it('for a model of an operator set of the far future', async () => {
    put('an operator set of the far future');
    const { code, stderr } = await run('export', folder, space.path('exported'));
    expect(stderr).toMatch(/written in operator set 1000000 of ONNX; decant reads 7 to 25/);
    expect(code).not.toBe(0);
  });
});

describe('files of one folder are compared', () => {
  it.each<[string, string, (json: Json) => Json, RegExp]>([
    [
      'labels of two classes',
      'model.json',
      (json) => ({ ...json, labels: ['a', 'b'] }),
      /names 2 labels \(a, b\), but the output 'logits' .+ has 3 columns/,
    ],
    [
      'a longer text than there are positions',
      'model.json',
      (json) => ({ ...json, maxLength: 4000 }),
      /maxLength is 4000, but the model has 64 positions/,
    ],
    [
      'a token that the table lacks',
      'model.json',
      (json) => ({ ...json, processor: { tokens: { padding: 0, unknown: 149 } } }),
      /the unknown token is 149, but the token table of .+ has 149 rows/,
    ],
    [
      'another output',
      'model.json',
      (json) => changed(json, { outputs: [{ name: 'input_ids', role: 'scores', axes: ['batch', 'width'] }] }),
      /has no output 'input_ids'/,
    ],
    [
      'answers of another shape',
      'model.json',
      (json) => changed(json, { outputs: [{ name: 'logits', role: 'scores', axes: ['batch', 'sequence', 'width'] }] }),
      /the output 'logits' is float32\[batch, 3\]; expected float32 with 3 axes/,
    ],
    [
      'no input',
      'model.json',
      (json) => changed(json, { inputs: [] }),
      /of which .+ says nothing: nobody would fill it/,
    ],
    [
      'an input of no known role',
      'model.json',
      (json) => changed(json, { inputs: [{ name: 'input_ids', role: 'scent', axes: ['batch'] }] }),
      /does not describe a model of decant .+: signature\.inputs\.0\.role/,
    ],
    [
      'a state that is none',
      'model.json',
      (json) => changed(json, { states: [{ past: 'input_ids', present: 'kept', axes: ['batch', 'past'] }] }),
      /has no state that goes in as 'input_ids' and out as 'kept'/,
    ],
    [
      'a foreign tokenizer',
      'tokenizer.json',
      (json) => ({ ...json, added_tokens: [{ id: 5000, content: 'strange' }] }),
      /gives ids up to 5000 \('strange'\), but the token table of .+ has 149 rows/,
    ],
    [
      'a type of tokens that the model lacks',
      'tokenizer.json',
      (json) => ({
        ...json,
        post_processor: {
          type: 'TemplateProcessing',
          single: [{ Sequence: { id: 'A', type_id: 256 } }],
          pair: [],
          special_tokens: {},
        },
      }),
      /tokenizer\.json: its post_processor gives tokens the type_id 256, but .+ has 2 types \(type_vocab_size\), 0 to 1/,
    ],
    ['no tokenizer', 'tokenizer.json', () => ({}), /tokenizer/],
  ])('%s', async (_, file, edit, message) => {
    editJson(file, edit);
    for (const args of [
      ['predict', folder, 'a text'],
      ['export', folder, space.path('out')],
    ]) {
      const { code, stderr, stdout } = await run(...args);
      expect([stdout, stderr]).toEqual(['', expect.stringMatching(message)]);
      expect(code).not.toBe(0);
    }
  });
});

/** Every kind of character that steers a terminal, reorders or hides what stands around it. */
const steering = '\u001b[31m\u001b]8;;file:///x\u0007\u009b2J\u007f\u202e\u200b\u2066\ufeff\r\n';

/** A model with such a text in every place where a name may stand. */
const named = (): Buffer =>
  fileOf({
    inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map(tokens),
    nodes: [
      ...pooling(),
      { ...node('Relu', ['pooled'], [steering]), name: steering },
      node(steering, ['pooled'], [`o${steering}`], {}, steering),
      classifier(steering),
    ],
    weights: [classes],
    outputs: [typed('logits', FLOAT, ['batch', 3]), typed(`o${steering}`, FLOAT, [steering])],
    opsets: [
      ['', 17],
      [steering, 1],
    ],
  });

describe('no text of a file steers a terminal', () => {
  it.each<readonly string[]>([
    ['inspect'],
    ['inspect', '--json'],
    ['predict'],
    ['predict', '--json'],
    ['export'],
    ['export', '--json'],
  ])('%s %s', async (command, ...options) => {
    replaceFiles(folder, { 'model.onnx': named() });
    editJson('model.json', (json) => ({ ...json, modelType: steering, origin: steering }));
    const more = command === 'predict' ? [`a${steering}b`] : command === 'export' ? [space.path('out')] : [];
    const { stdout, stderr } = await run(command ?? '', folder, ...more, ...options);
    expect(`${stdout}${stderr}`).not.toBe('');
  });

  it.each([[], ['--json']])('predict says labels without it %s', async (...options) => {
    editJson('model.json', (json) => ({ ...json, labels: [steering, `${steering}2`, `${steering}3`] }));
    const { code, stdout } = await run('predict', folder, `a${steering}b`, '--top', '3', ...options);
    expect(code).toBe(0);
    if (options.length > 0) expect(JSON.parse(stdout)[0].classes.map(({ label }: Json) => label)).toContain(steering);
  });

  it.each(['validate', 'plan', 'run'])('%s of a pipeline', async (command) => {
    space.write('strange.yaml', `name: ${JSON.stringify(`n${steering}`)}\n${JSON.stringify(steering)}: 1\n`);
    expect((await run(command, 'strange.yaml')).code).toBe(2);
  });

  it.each(['report', 'diff'])('%s of a run', async (command) => {
    space.write('report.json', JSON.stringify({ schema: steering }));
    const { code } = await run(command, 'report.json', ...(command === 'diff' ? ['report.json'] : []));
    expect(code).toBe(2);
  });

  it('init of a table', async () => {
    space.write('table.csv', `"${steering}","text"\n${'a,b c d\n'.repeat(20)}`);
    await run('init', '--data', 'table.csv', '--out', 'out.yaml');
  });
});

describe('machines are told what is wrong', () => {
  it.each([
    [['predict', 'missing', 'a', '--json'], 2, 'request'],
    [['inspect', 'missing', '--json'], 2, 'request'],
    [['export', 'missing', 'out', '--json'], 2, 'request'],
    [['plan', 'missing.yaml', '--json'], 2, 'request'],
    [['report', 'missing', '--format', 'json'], 2, 'no-report'],
    [['diff', 'missing', 'missing', '--format=json'], 2, 'no-report'],
    [['inspect', '--json', '--nothing'], 2, 'commander.unknownOption'],
  ])('%j', async (args, exitCode, code) => {
    const ended = await run(...args);
    expect(JSON.parse(ended.stdout)).toEqual({ error: expect.objectContaining({ code, exitCode }) });
    expect(ended.code).toBe(exitCode);
  });

  it('with the place of each problem of a file', async () => {
    space.write('wrong.yaml', 'name: wrong\nstages:\n  - { id: a, uses: trian }\n');
    const { stdout } = await run('plan', 'wrong.yaml', '--json');
    expect(JSON.parse(stdout).error.problems).toContainEqual(expect.objectContaining({ file: 'wrong.yaml', line: 3 }));
  });
});

describe('predict answers each line on its own', () => {
  it('a blank one with its number', async () => {
    const ended = await runWatched(['predict', folder, '--json'], space.folder, 'a text\n\nanother\n');
    expect(JSON.parse(ended.stdout)).toEqual([
      expect.objectContaining({ text: 'a text' }),
      { line: 2, error: 'line 2 of standard input is empty; expected a text' },
      expect.objectContaining({ text: 'another' }),
    ]);
    expect(ended.code).toBe(1);
  });

  it('and says how much of them the vocabulary does not hold', async () => {
    const { stderr } = await run('predict', folder, '漢字 漢字');
    expect(stderr).toMatch(/^100\.0 % of the tokens of these texts are not in the model's vocabulary/);
  });
});
