import { launch } from '../guard/launch.ts';

/** The process of one question: the command line, which watches the process that runs the model. */
await launch(process.argv.slice(2));
