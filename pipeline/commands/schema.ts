import type { Command } from 'commander';
import { exit } from './common.ts';

const examples = `
Examples:
  $ decant schema > pipeline.schema.json

In pipeline.yaml, for editors that use yaml-language-server:
  # yaml-language-server: $schema=pipeline.schema.json`;

/** `decant schema`. */
export const schemaCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('schema')
    .summary('print the JSON Schema of pipeline files')
    .description('Print the JSON Schema of pipeline files: completion and checks in editors.')
    .addHelpText('after', examples)
    .action(async () => {
      const { decantCatalogue } = await import('../kinds.ts');
      const { jsonSchema } = await import('../yaml/head.ts');
      process.stdout.write(`${JSON.stringify(jsonSchema(decantCatalogue), null, 2)}\n`);
      end(exit.done);
    });
};
