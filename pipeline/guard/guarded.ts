import { main } from '../cli.ts';

/** The process of a command that is watched. Without the one that watches nobody waits for its answer. */
process.on('disconnect', () => process.exit());
process.channel?.unref();

await main(process.argv.slice(2));
