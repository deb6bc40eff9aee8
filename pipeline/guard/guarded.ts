import { main } from '../cli.ts';
import { watchedBy } from './limits.ts';

/** The process of a command that is watched. Without the one that watches nobody waits for its answer. */
process.on('disconnect', () => process.exit());
process.channel?.unref();
watchedBy((limits) => void (process.connected && process.send?.(limits)));

await main(process.argv.slice(2));
