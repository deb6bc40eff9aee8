import { Argument, type Command } from 'commander';
import { type SchemaSubject, schema } from '../api/index.ts';
import { exit } from './common.ts';

const examples = `
Examples:
  $ decant schema > pipeline.schema.json
  $ decant schema report > report.schema.json

In pipeline.yaml, for editors that use yaml-language-server:
  # yaml-language-server: $schema=pipeline.schema.json`;

const subjects: readonly SchemaSubject[] = ['pipeline', 'report', 'comparison'];

/** `decant schema`. */
export const schemaCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('schema')
    .addArgument(new Argument('[what]', 'files to describe').choices(subjects).default('pipeline'))
    .summary('print the JSON Schema of pipeline files, report.json or comparison.json')
    .description(
      'Print the JSON Schema of pipeline files, for completion and checks in editors, or of report.json or comparison.json, for tools that read them.',
    )
    .addHelpText('after', examples)
    .action(async (subject: SchemaSubject) => {
      process.stdout.write(`${JSON.stringify(await schema(subject), null, 2)}\n`);
      end(exit.done);
    });
};
