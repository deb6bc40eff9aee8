import { seldom } from '../ground/progress.ts';
import type { AnyStage } from '../stages/stage.ts';
import { failureOf } from './execute/failure.ts';
import type { Command, Report } from './execute/order.ts';
import { perform } from './execute/perform.ts';

/**
 * The process of one step: gets an order, reports progress and how it ended. A native crash or a lack of memory ends
 * only this process. Ctrl-C reaches it through its parent, which asks it to save; a parent that is gone ends it.
 */
const abort = new AbortController();
const send = (report: Report): void => {
  if (process.connected) process.send?.(report);
};

/** Progress more often than this helps nobody and costs time. */
const REPORT_MS = 100;

/** All that a step reports, of its progress what is told now and then. */
const reporter = (): ((report: Report) => void) => {
  const tell = seldom((progress) => send({ type: 'progress', progress }), REPORT_MS);
  return (report) => (report.type === 'progress' ? tell(report.progress) : send(report));
};

const hasStages = (module: unknown): module is { readonly stages: readonly AnyStage[] } =>
  typeof module === 'object' && module !== null && 'stages' in module && Array.isArray(module.stages);

const start = async ({ order }: Extract<Command, { type: 'start' }>): Promise<void> => {
  // The tokenizers' library asks the environment, once.
  process.env.RAYON_NUM_THREADS = String(order.threads);
  const module: unknown = await import(order.module);
  if (!hasStages(module)) throw new Error(`${order.module} exports no stages`);
  const outcome = await perform(
    order,
    module.stages,
    { signal: abort.signal, isWanted: () => process.connected },
    reporter(),
  );
  send({ type: 'outcome', outcome });
};

const finish = (): void => process.exit(0);

process.on('SIGINT', () => undefined);
process.on('disconnect', finish);
process.on('message', (command: Command) => {
  if (command.type === 'abort') {
    abort.abort(new Error('interrupted'));
    return;
  }
  start(command)
    .catch((error: unknown) => send({ type: 'outcome', outcome: failureOf(error) }))
    .finally(() => process.disconnect?.());
});
