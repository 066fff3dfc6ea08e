import { parentPort } from 'node:worker_threads';
import type { PolicyBundle } from '../policy/bundle.ts';
import type { ShipCommand } from './protocol.ts';

/** Commands of the main thread; several wakes while we ship count as one. */
export class Commands {
  stopRequested = false;
  #woken = false;
  #resolve: (() => void) | undefined;
  #taken: ((isWritten: boolean) => void) | undefined;

  constructor(usePolicy: (policy: PolicyBundle) => Promise<void>) {
    parentPort?.on('message', (command: ShipCommand) => {
      switch (command.kind) {
        case 'late_records_taken':
          this.#taken?.(command.isWritten);
          return;
        case 'policy':
          // It was tried before: what fails now fails this thread, and the next one begins with it.
          void usePolicy(command.policy);
          return;
        case 'stop':
          this.stopRequested = true;
          break;
        case 'wake':
          break;
        default:
          command satisfies never;
      }
      this.#woken = true;
      this.#resolve?.();
    });
  }

  lateRecordsTaken(send: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      this.#taken = resolve;
      send();
    });
  }

  async next(timeoutMs: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#resolve = undefined;
    this.#woken = false;
  }
}
