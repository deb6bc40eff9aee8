import { isUserError, messageOf } from '../../ground/errors.ts';
import type { Order, Report } from './orders.ts';
import { loadOnce, timeTogether } from './timing.ts';

/**
 * The entry of a fresh process that measures: gets one order, says how it gets on and what it found. It imports the
 * runtime and no more on the CPU, and ends when the step that started it is gone. Ctrl-C reaches it through that step.
 */
const send = (report: Report): void => {
  if (process.connected) process.send?.(report);
};

const perform = async (order: Order): Promise<Report> => {
  switch (order.type) {
    case 'time':
      return { type: 'timed', timed: await timeTogether(order, send) };
    case 'load':
      return { type: 'loaded', loaded: await loadOnce(order, send) };
    case 'look':
      return { type: 'looked', lacking: await (await import('./device.ts')).lookAt(order, send) };
  }
};

process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  perform(order)
    .catch(
      (error: unknown): Report => ({
        ...{ type: 'failed', message: messageOf(error) },
        theirs: isUserError(error),
      }),
    )
    .then(send)
    .finally(() => process.disconnect());
});
