import { Worker } from 'node:worker_threads';
import type { ShipCommand, ShipOptions, ShipReport } from './protocol.ts';

export type ShipperEvents = {
  onReport: (report: ShipReport) => void;
  /** The thread died; it is started again after `restartDelayMs`. The journal keeps what it had not delivered. */
  onCrash: (error: Error) => void;
};

export type ShipperThread = {
  /** Tells the thread that an exchange ended. */
  wake(): void;
  /** Ships what is there and ends the thread, or ends it after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
};

const restartDelayMs = 1_000;
const workerFile = new URL('./worker.ts', import.meta.url);

/** Runs the shipping thread and keeps it running until `stop`. */
export function superviseShipper(options: ShipOptions, events: ShipperEvents): ShipperThread {
  let worker: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let stopping = false;

  const start = (): void => {
    const current = new Worker(workerFile, { workerData: options });
    worker = current;
    current.on('message', events.onReport);
    current.on('error', events.onCrash);
    current.on('exit', () => {
      if (worker === current) worker = undefined;
      if (!stopping) restart = setTimeout(start, restartDelayMs);
    });
  };
  start();

  const send = (command: ShipCommand): void => worker?.postMessage(command);
  return {
    wake: () => send({ kind: 'wake' }),
    async stop(timeoutMs) {
      stopping = true;
      clearTimeout(restart);
      const current = worker;
      if (current === undefined) return;
      const exited = new Promise<void>((resolve) => current.once('exit', () => resolve()));
      send({ kind: 'stop' });
      const timer = setTimeout(() => void current.terminate(), timeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
