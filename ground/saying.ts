const shown = (input: unknown): string => JSON.stringify(input) ?? 'nothing';

/** One message for everything that can be wrong with a value. */
export const saying = (expected: string) => ({
  error: (issue: { readonly input?: unknown }) => `expected ${expected}; found ${shown(issue.input)}`,
});
