import type { Command } from 'commander';
import { jsonForPeople, oneLine } from '../../reports/text.ts';
import type { Plan } from '../plan/plan.ts';
import { DEFAULT_FILE, exit, settingOption } from './common.ts';

const examples = `
Examples:
  $ decant validate
  $ decant validate my.yaml --set data.limit=2000`;

const inWords = (file: string, plan: Plan, remarks: readonly string[]): string => {
  const stages = plan.stages.length === 1 ? '1 stage' : `${plan.stages.length} stages`;
  const seeds = plan.seeds.length === 1 ? '' : `, seeds ${plan.seeds.join(', ')}`;
  const valid = `${file} is valid: "${plan.name}", ${stages}, ${plan.steps.length} steps${seeds}.\n`;
  return `${valid}${remarks.map((remark) => `${oneLine(remark)}.\n`).join('')}`;
};

const asJson = (file: string, { name, stages, steps, seeds }: Plan, remarks: readonly string[]) => ({
  ...{ schema: 'decant.validation/1', file, name, seeds, remarks },
  stages: stages.map(({ id, uses }) => ({ id, uses })),
  steps: steps.map(({ id }) => id),
});

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
      const { decantCatalogue } = await import('../kinds.ts');
      const { loadPipeline } = await import('../load.ts');
      const remarks: string[] = [];
      const plan = await loadPipeline(file, set, decantCatalogue, (remark) => remarks.push(remark));
      process.stdout.write(json === true ? jsonForPeople(asJson(file, plan, remarks)) : inWords(file, plan, remarks));
      end(exit.done);
    });
};
