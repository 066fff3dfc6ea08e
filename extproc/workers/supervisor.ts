import { SkilltapeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { FromWorker, ToWorker, WorkerStart } from './protocol.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * - `recovering`: it died, and its journal is taken over.
 * - `waiting`: it is started again after a while.
 * - `silent`: it says nothing, frozen or overloaded; it is not ended for that.
 */
export type WorkerState = 'starting' | 'recording' | 'silent' | 'recovering' | 'waiting' | 'draining' | 'ended';

export type WorkerStatus = { worker: number; state: WorkerState; restarts: number };

export type SupervisorParts = {
  worker: number;
  launch(onMessage: (message: FromWorker) => void): WorkerProcess;
  start(): WorkerStart;
  /** Ends what the dead worker left open. */
  takeOver(): Promise<void>;
  /** Whatever the supervisor does not need itself. */
  onMessage(message: FromWorker): void;
  onState(state: WorkerState): void;
  drainMaxMs: number;
  log: Log;
  clock: SupervisorClock;
};

export type SupervisorClock = {
  nowMs(): number;
  /** Resolves after this time, or at once when aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
};

/** The first restart comes soon, each further one after twice the time, up to the longest. */
export const restartDelayMs = 250;
export const restartDelayMaxMs = 30_000;
/** A worker that recorded this long is well again: its next death counts as the first. */
export const wellAfterMs = 60_000;
/** Deaths in a row after which it is said that somebody has to look. */
export const deathsReportedAfter = 5;
/** Beginning takes a second or so; one that hangs there is ended. */
export const startMaxMs = 60_000;
/** Beyond `drainMaxMs`: to record what the drain cut and to close the journal. */
export const endMaxMs = 10_000;
/** A worker says every half second that it lives. */
export const silentAfterMs = 3_000;

/** Keeps one worker running, and takes its journal over whenever it died. */
export class WorkerSupervisor {
  readonly #parts: SupervisorParts;
  readonly #stopping = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  #state: WorkerState = 'starting';
  #restarts = 0;
  #process: WorkerProcess | undefined;
  #failure: SkilltapeError | undefined;
  #recordingSinceMs: number | null = null;
  #heardAtMs = 0;
  #checkedAtMs = 0;
  #leftOpen = false;
  #done: Promise<void> = Promise.resolve();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    // Whoever does not wait for the beginning is told of its failure by nobody else.
    this.#begun.promise.catch(() => {});
  }

  status(): WorkerStatus {
    return { worker: this.#parts.worker, state: this.#state, restarts: this.#restarts };
  }

  /** Resolves when the worker records for the first time, rejects when it ends before; its journal was recovered. */
  begin(): Promise<void> {
    this.#done = this.#run();
    return this.#begun.promise;
  }

  send(message: ToWorker): void {
    this.#process?.send(message);
  }

  kill(): void {
    this.#process?.kill();
  }

  /** To be called every second or so. */
  checkHeartbeat(): void {
    const nowMs = this.#parts.clock.nowMs();
    // When we were frozen ourselves, what the worker said meanwhile is still unread.
    const wasFrozen = nowMs - this.#checkedAtMs > silentAfterMs;
    this.#checkedAtMs = nowMs;
    if (wasFrozen) this.#heardAtMs = nowMs;
    if (this.#state !== 'recording' || nowMs - this.#heardAtMs < silentAfterMs) return;
    this.#enter('silent');
    this.#parts.log.error({ worker: this.#parts.worker, pid: this.#process?.pid }, 'a worker does not answer');
  }

  /** Drains the worker, or ends it when it has not ended in time; what it left open is ended as interrupted then. */
  async stop(): Promise<void> {
    const { drainMaxMs, clock, log, worker } = this.#parts;
    this.#stopping.abort();
    const process = this.#process;
    if (process !== undefined) {
      this.#enter('draining');
      process.send({ kind: 'drain' });
      const late = new AbortController();
      const timer = clock.pause(drainMaxMs + endMaxMs, late.signal).then(() => 'late' as const);
      if ((await Promise.race([process.exited, timer])) === 'late') {
        log.error({ worker }, 'a worker did not end in time and is killed');
        process.kill();
      }
      late.abort();
    }
    await this.#done;
    if (this.#leftOpen) await this.#tookOver();
    this.#enter('ended');
  }

  async #run(): Promise<void> {
    let deaths = 0;
    for (;;) {
      const ended = await this.#runOnce();
      this.#leftOpen = ended !== 0;
      const recordedMs = this.#recordingSinceMs === null ? null : this.#parts.clock.nowMs() - this.#recordingSinceMs;
      this.#recordingSinceMs = null;
      if (this.#restarts === 0 && recordedMs === null) this.#begun.reject(this.#failure ?? endedEarly(ended));
      if (this.#stopping.signal.aborted || (this.#restarts === 0 && recordedMs === null)) return;
      this.#restarts += 1;
      deaths = recordedMs !== null && recordedMs >= wellAfterMs ? 1 : deaths + 1;
      this.#say(ended, deaths);
      this.#enter('recovering');
      while (!(await this.#tookOver())) {
        deaths += 1;
        if (!(await this.#waited(deaths))) return;
      }
      if (!(await this.#waited(deaths))) return;
    }
  }

  async #runOnce(): Promise<number | string> {
    const { launch, start, clock } = this.#parts;
    this.#enter('starting');
    this.#failure = undefined;
    const process: WorkerProcess = launch((message) => {
      if (this.#process === process) this.#heed(message);
    });
    this.#process = process;
    process.send({ kind: 'start', start: start() });
    const over = new AbortController();
    void clock.pause(startMaxMs, over.signal).then(() => {
      if (!over.signal.aborted && this.#process === process && this.#state === 'starting') process.kill();
    });
    const ended = await process.exited;
    over.abort();
    this.#process = undefined;
    return ended;
  }

  #heed(message: FromWorker): void {
    this.#heardAtMs = this.#parts.clock.nowMs();
    if (this.#state === 'silent') {
      this.#enter('recording');
      this.#parts.log.info({ worker: this.#parts.worker }, 'a worker answers again');
    }
    if (message.kind === 'recording' && this.#state === 'starting') {
      this.#recordingSinceMs = this.#heardAtMs;
      this.#enter('recording');
      this.#begun.resolve();
    }
    if (message.kind === 'failed') {
      const { code, message: text, remedy } = message;
      this.#failure = new SkilltapeError(code, text, remedy === undefined ? {} : { remedy });
    }
    this.#parts.onMessage(message);
  }

  #say(ended: number | string, deaths: number): void {
    const { log, worker } = this.#parts;
    const facts = { worker, ended, deaths, ...(this.#failure !== undefined && { err: this.#failure }) };
    if (deaths < deathsReportedAfter) log.error(facts, 'a worker ended and is started again');
    else log.fatal(facts, 'a worker ends again and again; its own lines say why');
  }

  async #tookOver(): Promise<boolean> {
    const { takeOver, log, worker } = this.#parts;
    try {
      await takeOver();
      this.#leftOpen = false;
      return true;
    } catch (err) {
      log.error({ worker, err }, 'the journal of a worker that ended cannot be taken over');
      return false;
    }
  }

  /** False when it is stopped meanwhile. */
  async #waited(deaths: number): Promise<boolean> {
    const { signal } = this.#stopping;
    if (!signal.aborted) this.#enter('waiting');
    const delayMs = Math.min(restartDelayMs * 2 ** (deaths - 1), restartDelayMaxMs);
    if (!signal.aborted) await this.#parts.clock.pause(delayMs, signal);
    return !signal.aborted;
  }

  #enter(state: WorkerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#parts.onState(state);
  }
}

function endedEarly(ended: number | string): SkilltapeError {
  return new SkilltapeError('internal', `a worker ended (${ended}) before it recorded anything; its log says why`);
}

export const systemSupervisorClock: SupervisorClock = {
  nowMs: () => performance.now(),
  pause: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(resolve, ms);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    }),
};
