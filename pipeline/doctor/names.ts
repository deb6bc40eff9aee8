/** What the doctor tries, in its order: known without what does it, which takes a runtime. */
export const checkNames: readonly string[] = [
  ...['load', 'normalise', 'anatomy', 'remove heads', 'remove neurons', 'remove a layer'],
  ...['differentiate', 'train', 'fuse', 'int8', 'save'],
];
