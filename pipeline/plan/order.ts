import type { Diagnostic } from '../diagnostic.ts';
import type { CheckedStage } from '../yaml/check.ts';
import type { Located, Path } from '../yaml/document.ts';

/** A stage that names another one, and where. */
export interface Reference {
  readonly from: string;
  readonly to: string;
  readonly path: Path;
}

/** Stages on the way along references from one to another. */
const wayBetween = (
  references: readonly Reference[],
  from: string,
  to: string,
  seen: Set<string>,
): readonly string[] | undefined => {
  if (from === to) return [from];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const reference of references.filter((candidate) => candidate.from === from)) {
    const rest = wayBetween(references, reference.to, to, seen);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
};

/** References to the stage itself or to later ones: a cycle where the way leads back. */
export const outOfOrder = (
  references: readonly Reference[],
  stages: readonly CheckedStage[],
  located: Located,
): readonly Diagnostic[] => {
  const index = new Map(stages.map((stage) => [stage.id, stage.index]));
  return references
    .filter(({ from, to }) => (index.get(to) ?? 0) >= (index.get(from) ?? 0))
    .map(({ from, to, path }) => {
      const span = located.at(path);
      const way = wayBetween(references, to, from, new Set());
      if (way !== undefined) {
        const message = `stages wait for each other: ${[from, ...way].map((id) => `"${id}"`).join(' <- ')}`;
        return { code: 'cycle', message, span, hints: ['let one of them use another stage'] };
      }
      const message = `stage "${to}" comes after "${from}", which uses it`;
      return { code: 'forward-reference', message, span, hints: [`move "${to}" above "${from}"`] };
    });
};
