import type { Validation } from './types/pipelines.ts';

/** Checks a file, and what it names. Throws every problem at once. */
export const validateFile = async (
  file: string,
  { set = [] }: { readonly set?: readonly string[] },
): Promise<Validation> => {
  const { decantCatalogue } = await import('../kinds.ts');
  const { loadPipelines } = await import('../load.ts');
  const remarks: string[] = [];
  const [plan] = await loadPipelines(file, set, decantCatalogue, (remark) => remarks.push(remark));
  const { name, variants, seeds, stages, steps } = plan;
  return {
    ...{ schema: 'decant.validation/1', file, name, ...(variants === undefined ? {} : { variants }), seeds, remarks },
    stages: stages.map(({ id, uses }) => ({ id, uses })),
    steps: steps.map(({ id }) => id),
  };
};
