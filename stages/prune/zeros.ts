/** Zeros that a share asks of `elements`: rounded up, so that the share is reached. */
export const zerosFor = (share: number, elements: number): number => Math.min(elements, Math.ceil(share * elements));
