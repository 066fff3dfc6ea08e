/** Workers that a test lets begin, speak and die, on a clock that the test moves. */
import { pino } from 'pino';
import type { FromWorker, ToWorker } from '../../../extproc/workers/protocol.ts';
import type { SupervisorClock } from '../../../extproc/workers/supervisor.ts';
import type { WorkerProcess } from '../../../extproc/workers/worker-process.ts';

export class FakeWorker implements WorkerProcess {
  readonly pid = 4711;
  readonly told: ToWorker[] = [];
  killed = false;
  readonly #exit = Promise.withResolvers<number | string>();
  readonly exited = this.#exit.promise;
  readonly say: (message: FromWorker) => void;

  constructor(say: (message: FromWorker) => void) {
    this.say = say;
  }

  send(message: ToWorker): void {
    this.told.push(message);
  }

  kill(): void {
    this.killed = true;
    this.#exit.resolve('SIGKILL');
  }

  die(ended: number | string): void {
    this.#exit.resolve(ended);
  }
}

/** Time stands still until it is moved; `paused` are the waits that nothing has ended yet. */
export class FakeClock implements SupervisorClock {
  #nowMs = 1_000_000;
  readonly paused: { untilMs: number; ms: number; end: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wait = { untilMs: this.#nowMs + ms, ms, end: () => {} };
      wait.end = () => {
        this.paused.splice(this.paused.indexOf(wait), 1);
        resolve();
      };
      this.paused.push(wait);
      signal.addEventListener('abort', () => this.paused.includes(wait) && wait.end());
    });
  }

  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const wait of this.paused.filter(({ untilMs }) => untilMs <= this.#nowMs)) wait.end();
    await settled();
  }
}

/** Everything that promises had to do is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A log that keeps its lines. */
export function keptLog() {
  const lines: { level: number; msg: string; [key: string]: unknown }[] = [];
  return { log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }), lines };
}
