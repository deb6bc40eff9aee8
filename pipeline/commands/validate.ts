import type { Command } from 'commander';
import { oneLine } from '../../reports/text.ts';
import { DEFAULT_FILE, exit, settingOption } from './common.ts';

const examples = `
Examples:
  $ decant validate
  $ decant validate my.yaml --set data.limit=2000`;

/** `decant validate`. */
export const validateCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('validate')
    .argument('[file]', 'pipeline file', DEFAULT_FILE)
    .summary('check a pipeline file without running anything')
    .description('Check a pipeline file: every problem with its place, and what was expected there.')
    .addOption(settingOption())
    .addHelpText('after', examples)
    .action(async (file: string, { set }: { readonly set: readonly string[] }) => {
      const { decantCatalogue } = await import('../kinds.ts');
      const { loadPipeline } = await import('../load.ts');
      const remarks: string[] = [];
      const plan = await loadPipeline(file, set, decantCatalogue, (remark) => remarks.push(remark));
      const stages = plan.stages.length === 1 ? '1 stage' : `${plan.stages.length} stages`;
      const seeds = plan.seeds.length === 1 ? '' : `, seeds ${plan.seeds.join(', ')}`;
      process.stdout.write(`${file} is valid: "${plan.name}", ${stages}, ${plan.steps.length} steps${seeds}.\n`);
      for (const remark of remarks) process.stdout.write(`${oneLine(remark)}.\n`);
      end(exit.done);
    });
};
