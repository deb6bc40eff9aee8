/**
 * Work that takes its time: await it for what it comes to, iterate over it for what happens meanwhile. Each event is given
 * once; progress that nobody has read yet gives way to newer progress of the same thing. An iteration ends when the work
 * does, and throws what the work throws; leaving it early stops nothing.
 */
export type Job<Event, Result> = Promise<Result> & AsyncIterable<Event>;
