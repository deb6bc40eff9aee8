import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Rooms that decide about weights. */
const rooms = ['graph', 'models', 'engine', 'stages'];

/** Where an operator says what it uses weights for, and where that is asked. */
const definition = /^graph\/(ops|sites)(\/|\.ts$)/;

const files = rooms
  .flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(room, file)),
  )
  .filter((file) => !definition.test(file));

/** Operators that use weights as matrices, tables or norms. */
const users =
  'MatMul Gemm Conv FusedMatMul FusedGemm MatMulInteger MatMulIntegerToFloat Gather GatherND GatherElements ' +
  'LayerNormalization RMSNormalization SimplifiedLayerNormalization SkipLayerNormalization EmbedLayerNormalization';

/** Files that name such operators for another reason than to say what a weight is for. */
const exempt: Readonly<Record<string, string>> = {
  'engine/engines/': 'operators in the words of a runtime',
  'graph/attention.ts': 'products of two activations are attention',
  'graph/deduced-sizes.ts': 'dimensions that operators want equal',
  'graph/float16.ts': 'what computes in float16',
  'graph/lower/': 'operators in other words, for devices without a kernel for them',
  'graph/normalize/stored-bytes.ts': 'rows of few bits are fetched before they are made floats',
  'graph/normalize/unfuse/': 'operators that optimizers fused, in the ones that they stand for',
  'graph/rewrite/': 'patterns of operators, and what replaces them',
  'graph/quantize/emit/': 'operators that compute with weights in few bits',
  'graph/quantize/forms.ts': 'kernels that compute in 8 bits',
  'models/anatomy/in-floats.ts': 'what other tools fused or rounded, in the operators that it stands for',
  'models/anatomy/states.ts': 'convolutions read pixels, which are no states',
  'models/anatomy/unshare.ts': 'parts that an earlier cut picked by number',
  'models/quantized.ts': 'rows of 8 bits are fetched before they are made floats',
  'stages/profile/attention.ts': 'the order in which the runtime expects the pieces of attention',
  'stages/profile/groups.ts': 'what fetches the steps of integers, as the runtime writes it',
  'stages/profile/variants/integers.ts': 'kernels with an activation behind them',
};

const isExempt = (file: string): boolean => Object.keys(exempt).some((place) => file.startsWith(place));

/** Comments apart, and what emits nodes: `builder.op('MatMul', ...)`, `{ ...node, op: 'MatMul' }`. */
const decidingCode = (text: string): string =>
  text
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .replaceAll(/\bops?\(\s*'[^']*'/g, '')
    .replaceAll(/\bop: '[^']*'/g, '');

const namesUser = (text: string): boolean =>
  users.split(' ').some((op) => new RegExp(`['":]${op}['"]`).test(decidingCode(text)));

/** Text operations on an operator's name or on a weight's. */
const readsNames = (text: string): boolean =>
  [
    /\bop\.(?:includes|startsWith|endsWith|match|search)\((?!':'\))/,
    /\.(?:test|exec)\(\s*(?:\w+\.)?op\b/,
    /\]\.includes\(\s*(?:\w+\.)?op\b/,
    /\.(?:test|exec)\(\s*(?:\w+\.)?(?:weight|parameter|initializer)(?:\.name)?\s*\)/,
    /\b(?:weight|parameter|initializer)(?:\.name)?\.(?:includes|startsWith|endsWith|match|split)\(\s*['/]/,
    /\bname\.(?:startsWith|endsWith|includes)\(\s*['/`](?:[./]?(?:weight|bias|again))['/`]/,
  ].some((pattern) => pattern.test(decidingCode(text)));

/** Where no weight is asked about: that an operator draws random numbers is told by its name. */
const readsOtherNames = new Set([join('graph', 'rewrite', 'fold.ts')]);

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('what a weight is for', () => {
  it('is said by records of operators alone', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => !isExempt(file) && namesUser(read(file)))).toEqual([]);
  });

  it('is read off no name', () => {
    expect(files.filter((file) => !readsOtherNames.has(file) && readsNames(read(file)))).toEqual([]);
  });

  it.each([
    "node.op === 'MatMul'",
    "const products = new Set(['Gemm', 'Add']);",
    "const table = { ':Gather': 1 };",
    "switch (node.op) { case 'LayerNormalization': }",
  ])('and the check notices an operator named in %s', (text) => expect(namesUser(text)).toBe(true));

  it.each(["builder.op('MatMul', [x, w])", "{ ...node, op: 'Gemm' }", '/** a MatMul */', "emit.op(\n  'Gather', [x])"])(
    'but not where a node is made: %s',
    (text) => expect(namesUser(text)).toBe(false),
  );

  it.each([
    "node.op.includes('Normalization')",
    '/Attention$/.test(node.op)',
    "['MatMul', 'Gemm'].includes(user.op)",
    'headName.test(weight)',
    "weight.endsWith('.bias')",
    "name.endsWith('.bias')",
    "node.name.endsWith('/again')",
  ])('and the check notices a name read in %s', (text) => expect(readsNames(text)).toBe(true));

  it('has no exemption that is not needed', () => {
    const used = files.filter((file) => namesUser(read(file)));
    expect(Object.keys(exempt).filter((place) => !used.some((file) => file.startsWith(place)))).toEqual([]);
  });
});
