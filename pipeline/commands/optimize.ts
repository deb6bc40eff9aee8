import type { Command } from 'commander';
import { jsonForPeople } from '../../reports/text.ts';
import { optimize } from '../api/index.ts';
import { addFloat16, addRewriting, type RewritingOptions, rewriting, words } from './rewriting.ts';

const examples = `
Examples:
  $ decant optimize model.onnx -o fast.onnx
  $ decant optimize ./my-model -o ./my-fast-model --json
  $ decant optimize model.onnx --float16 -o half.onnx

Constants are folded and operators fused where ONNX Runtime has a kernel for the whole: attention, norms, GELU. Outputs
stay the same up to rounding. What is optimized can still be pruned and quantized by decant.
Exit codes: 0 done, 1 it cannot be written, 2 the request was wrong, 130 interrupted.`;

const run = (path: string, { out, json, offline, float16 }: RewritingOptions): Promise<number> =>
  rewriting(
    (signal) =>
      optimize(path, out, {
        signal,
        ...(offline === undefined ? {} : { offline }),
        ...(float16 === undefined ? {} : { float16 }),
      }),
    (written) =>
      json === true
        ? jsonForPeople(written)
        : words(written, [`${written.nodes.before} -> ${written.nodes.after} operators`]),
  );

/** `decant optimize`. */
export const optimizeCommand = (program: Command, end: (code: number) => void): void => {
  addFloat16(addRewriting(program.command('optimize')))
    .summary('fuse the operators of a model for inference')
    .description('Fuse the operators of an ONNX model of any maker for inference in ONNX Runtime.')
    .option('--json', 'print what was written as one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, options: RewritingOptions) => end(await run(path, options)));
};
