export { applyCuts } from './apply.ts';
export { type CutGroup, followCut, isRefusal } from './follow.ts';
