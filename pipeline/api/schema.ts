import type { SchemaSubject } from './types/pipelines.ts';

/** The JSON Schema of a kind of file. */
export const schemaOf = async (subject: SchemaSubject): Promise<Readonly<Record<string, unknown>>> => {
  if (subject === 'report') return (await import('../../reports/schema/index.ts')).reportJsonSchema();
  if (subject === 'comparison') {
    return (await import('../../reports/comparison/schema.ts')).comparisonJsonSchema();
  }
  const { decantCatalogue } = await import('../kinds.ts');
  return (await import('../yaml/head.ts')).editorSchema(decantCatalogue);
};
