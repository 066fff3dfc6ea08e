import { parentPort } from 'node:worker_threads';
import type { PolicyBundle } from '../policy/bundle.ts';
import { Brake } from './brake.ts';
import type { ShipCommand } from './protocol.ts';

/** The commands, and the brake that heeds the wakes among them. */
export function brakedCommands(
  usePolicy: (policy: PolicyBundle) => Promise<void>,
  yieldMaxMs: number,
): { commands: Commands; brake: Brake } {
  const brake: Brake = new Brake({
    ...{ yieldMaxMs, nowMs: () => performance.now(), wallClockMs: Date.now },
    pause: (ms) => commands.pause(ms),
    isStopping: () => commands.stopRequested,
  });
  const commands = new Commands(usePolicy, (isRecordingBusy) => brake.woken(isRecordingBusy));
  return { commands, brake };
}

/** Commands of the main thread; several wakes while we ship count as one. */
export class Commands {
  stopRequested = false;
  #woken = false;
  #resolve: (() => void) | undefined;
  #taken: ((isWritten: boolean) => void) | undefined;

  readonly #stopped = Promise.withResolvers<void>();

  constructor(usePolicy: (policy: PolicyBundle) => Promise<void>, onWake: (isRecordingBusy: boolean) => void) {
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
          this.#stopped.resolve();
          break;
        case 'wake':
          onWake(command.isRecordingBusy);
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

  /** Ended by a stop alone. */
  async pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, this.#stopped.promise]);
    clearTimeout(timer);
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
