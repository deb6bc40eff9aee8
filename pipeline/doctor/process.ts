import { messageOf } from '../../ground/errors.ts';
import { examine } from './examine.ts';
import type { Question, Said } from './messages.ts';

/** The process of a doctor: what a model does to it ends it alone. A parent that is gone ends it, too. */
const say = (said: Said): void => void (process.connected && process.send?.(said));

process.on('disconnect', () => process.exit());
process.on('message', (question: Question) => {
  void examine(question, say)
    .catch((error: unknown) => say({ type: 'unreadable', why: `a bug of decant: ${messageOf(error)}` }))
    .finally(() => process.disconnect?.());
});
