import type { Ref, Wiring } from '../stage.ts';

/** Inputs of distillation besides the student: the data, what the teacher says about it, and the teacher if needed. */
export const wireDistillation = (
  { teacher, hidden }: { readonly teacher: string; readonly hidden?: unknown },
  wiring: Wiring,
  path: readonly string[] = [],
): Readonly<Record<string, Ref>> => {
  const model = wiring.model(teacher, [...path, 'teacher']);
  const dataset = wiring.dataset();
  const outputs = wiring.step('label', {}, { model, dataset });
  return { dataset, 'teacher-outputs': outputs, ...(hidden === undefined ? {} : { teacher: model }) };
};
