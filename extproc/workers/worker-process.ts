import { fork } from 'node:child_process';
import type { FromWorker, ToWorker } from './protocol.ts';

/** A running worker as its supervisor sees it. */
export type WorkerProcess = {
  readonly pid: number | undefined;
  send(message: ToWorker): void;
  /** At once, also when it is frozen. */
  kill(): void;
  /** Exit code, or the signal or fault that ended it. */
  readonly exited: Promise<number | string>;
};

const lastWordsMaxMs = 1_000;

/** Starts `script` under this runtime with our own flags; what it logs goes where our log goes. */
export function launchWorker(script: string, onMessage: (message: FromWorker) => void): WorkerProcess {
  const child = fork(script, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', (message) => onMessage(message as FromWorker));
  const exited = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      const ended = code ?? signal ?? 'unknown';
      // What it said last may still be unread: the channel ends behind it.
      if (!child.connected) return resolve(ended);
      child.once('disconnect', () => resolve(ended));
      setTimeout(() => resolve(ended), lastWordsMaxMs).unref();
    });
  });
  return {
    pid: child.pid,
    send(message) {
      // A worker that ended in this moment takes nothing any more; its exit says so.
      if (child.connected) child.send(message, () => {});
    },
    kill: () => void child.kill('SIGKILL'),
    exited,
  };
}
