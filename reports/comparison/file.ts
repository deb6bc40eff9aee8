/** Where a folder of variants holds what they come to. */
export const comparisonFile = 'comparison.json';
