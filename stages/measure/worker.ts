import type { Order, Report } from './orders.ts';
import { loadOnce, timeTogether } from './timing.ts';

/**
 * The entry of a fresh process that measures: gets one order, says how it gets on and what it found. It imports the
 * runtime and no more, and ends when the step that started it is gone. Ctrl-C reaches it through that step.
 */
const send = (report: Report): void => {
  if (process.connected) process.send?.(report);
};

const perform = async (order: Order): Promise<Report> =>
  order.type === 'time'
    ? { type: 'timed', timed: await timeTogether(order, send) }
    : { type: 'loaded', loaded: await loadOnce(order, send) };

process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  perform(order)
    .catch(
      (error: unknown): Report => ({
        type: 'failed',
        message: error instanceof Error ? error.message : String(error),
      }),
    )
    .then(send)
    .finally(() => process.disconnect());
});
