/** Folder of one of several seeds in a run's folder: a whole run's folder of its own. */
export const seedFolder = (seed: number): string => `seed-${seed}`;

/** Whether a folder is called so. */
export const isSeedFolder = (name: string): boolean => /^seed-\d+$/.test(name);
