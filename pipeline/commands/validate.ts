import type { Command } from 'commander';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import { type Validation, validate } from '../api/index.ts';
import { DEFAULT_FILE, exit, settingOption } from './common.ts';

const examples = `
Examples:
  $ decant validate
  $ decant validate my.yaml --set data.limit=2000`;

const inWords = ({ file, name, stages, steps, variants, seeds, remarks }: Validation): string => {
  const count = stages.length === 1 ? '1 stage' : `${stages.length} stages`;
  const all = seeds.length === 1 ? '' : `, seeds ${seeds.join(', ')}`;
  const recipes = variants === undefined ? '' : ` a variant; ${variants.length} variants: ${variants.join(', ')}`;
  const valid = `${file} is valid: "${name}", ${count}, ${steps.length} steps${recipes}${all}.\n`;
  return `${valid}${remarks.map((remark) => `${oneLine(remark)}.\n`).join('')}`;
};

/** `decant validate`. */
export const validateCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('validate')
    .argument('[file]', 'pipeline file', DEFAULT_FILE)
    .summary('check a pipeline file without running anything')
    .description('Check a pipeline file: every problem with its place, and what was expected there.')
    .addOption(settingOption())
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (file: string, { set, json }: { readonly set: readonly string[]; readonly json?: boolean }) => {
      const found = await validate(file, { set });
      process.stdout.write(json === true ? jsonForPeople(found) : inWords(found));
      end(exit.done);
    });
};
