/** Keeps a place outside that is slow or away from holding up the archive. */
import type { Checkpoint, CheckpointSink } from './checkpoint.ts';

/**
 * Checkpoints that wait for it, of about a kilobyte; beyond it the oldest goes, which is told. Each later one speaks for
 * what came before it, too.
 */
const waitingMax = 1_000;
/** How long a stop waits for what is under way. */
const closeTimeoutMs = 5_000;

export type QueueEvents = { onFailed: (sink: string, thrown: unknown) => void };

/** Takes a checkpoint at once and delivers it afterwards, in their order; what failed is tried again with the next one. */
export function queued(sink: CheckpointSink, { onFailed }: QueueEvents): CheckpointSink {
  const waiting: { line: string; checkpoint: Checkpoint }[] = [];
  let running: Promise<void> | null = null;
  const deliverAll = async () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      await sink.deliver(next.line, next.checkpoint);
      // It may have gone meanwhile for want of room.
      if (waiting[0] === next) waiting.shift();
    }
  };
  const start = () => {
    running ??= deliverAll()
      .catch((thrown: unknown) => onFailed(sink.name, thrown))
      .finally(() => {
        running = null;
      });
    return running;
  };
  return {
    name: sink.name,
    async deliver(line, checkpoint) {
      waiting.push({ line, checkpoint });
      if (waiting.length > waitingMax) {
        waiting.shift();
        onFailed(sink.name, new Error(`more than ${waitingMax} checkpoints wait for it, and the oldest was given up`));
      }
      void start();
    },
    async close() {
      if (running !== null) await within(closeTimeoutMs, running);
      if (waiting.length > 0) await within(closeTimeoutMs, start());
      await sink.close?.();
    },
  };
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
