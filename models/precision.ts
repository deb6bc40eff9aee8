/** Of the files that decant writes, in the words of transformers.js. */
export type Precision = 'fp32' | 'q8';
