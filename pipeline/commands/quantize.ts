import type { Command } from 'commander';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import { type QuantizedGraph, quantize } from '../api/index.ts';
import { wholeNumber } from './common.ts';
import { addRewriting, type RewritingOptions, rewriting, words } from './rewriting.ts';

interface Options extends RewritingOptions {
  readonly skip?: readonly string[];
  readonly minElements?: number;
}

const examples = `
Examples:
  $ decant quantize model.onnx -o model_quantized.onnx
  $ decant quantize ./my-model -o ./my-int8-model
  $ decant quantize model.onnx -o int8.onnx --skip 'encoder.layer.0.*' classifier.weight
  $ decant quantize model.onnx -o int8.onnx --min-elements 0      # every matrix, however small

Operators are fused first. Weights get 8 bits and a step for each output; activations are quantized as the model runs,
so no texts are needed. --skip takes names as the file has them; * stands for any text.
Exit codes: 0 done, 1 no matrix can be quantized, 2 the request was wrong, 130 interrupted.`;

const summary = (written: QuantizedGraph): string => {
  const { weights, quantized, kept } = written;
  const reasons = new Map<string, number>();
  for (const { reason } of weights) if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return words(written, [
    `${quantized} matrices in 8 bits, ${kept} in float`,
    ...[...reasons].map(([reason, count]) => `  ${count}: ${oneLine(reason)}`),
  ]);
};

const run = (path: string, { out, json, skip, minElements, offline }: Options): Promise<number> =>
  rewriting(
    (signal) =>
      quantize(path, out, {
        signal,
        ...(offline === undefined ? {} : { offline }),
        ...(skip === undefined ? {} : { skip }),
        ...(minElements === undefined ? {} : { minElements }),
      }),
    (written) => (json === true ? jsonForPeople(written) : summary(written)),
  );

/** `decant quantize`. */
export const quantizeCommand = (program: Command, end: (code: number) => void): void => {
  addRewriting(program.command('quantize'))
    .summary('store the matrices of a model in 8 bits')
    .description('Quantize an ONNX model of any maker dynamically: weights in 8 bits, products of 8-bit integers.')
    .option('--skip <names...>', 'weights that stay in float; * stands for any text')
    .option('--min-elements <n>', 'matrices with fewer elements stay in float (default: 4096)', wholeNumber(0, 2 ** 31))
    .option('--json', 'print what became of each matrix as one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, options: Options) => end(await run(path, options)));
};
