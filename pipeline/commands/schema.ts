import { Argument, type Command } from 'commander';
import { exit } from './common.ts';

const examples = `
Examples:
  $ decant schema > pipeline.schema.json
  $ decant schema report > report.schema.json

In pipeline.yaml, for editors that use yaml-language-server:
  # yaml-language-server: $schema=pipeline.schema.json`;

const subjects = ['pipeline', 'report'] as const;
type Subject = (typeof subjects)[number];

const schemaOf = async (subject: Subject): Promise<unknown> => {
  if (subject === 'report') return (await import('../../reports/schema/index.ts')).reportJsonSchema();
  const { decantCatalogue } = await import('../kinds.ts');
  return (await import('../yaml/head.ts')).jsonSchema(decantCatalogue);
};

/** `decant schema`. */
export const schemaCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('schema')
    .addArgument(new Argument('[what]', 'files to describe').choices(subjects).default('pipeline'))
    .summary('print the JSON Schema of pipeline files or of report.json')
    .description(
      'Print the JSON Schema of pipeline files, for completion and checks in editors, or of report.json, for tools that read it.',
    )
    .addHelpText('after', examples)
    .action(async (subject: Subject) => {
      process.stdout.write(`${JSON.stringify(await schemaOf(subject), null, 2)}\n`);
      end(exit.done);
    });
};
