import { distill } from '../../stages/distill/index.ts';
import { prune } from '../../stages/prune/index.ts';
import { trainStage } from '../../stages/train/index.ts';

/** What of a configuration belongs to the key of a step. */
export const keyed = ({ config }: Pick<typeof trainStage, 'config'>, options: object): unknown =>
  JSON.parse(JSON.stringify(config.parse(options)));

/** Stages that train, with where options of a training stand among theirs. */
export const training = [
  ['train', trainStage, (options: object) => options],
  ['distill', distill, (options: object) => ({ teacher: 'teacher', ...options })],
  ['prune', prune, (options: object) => ({ sparsity: 0.5, recover: { uses: 'train', ...options } })],
] as const;
