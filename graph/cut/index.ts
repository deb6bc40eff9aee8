export { applyCuts } from './apply.ts';
export { type CutGroup, type CutRefusal, type CutStart, followCut, isRefusal } from './follow.ts';
