import { Worker } from 'node:worker_threads';
import type { WriteLateRecords } from '../coverage/report.ts';
import { type ErrorCode, SkilltapeError } from '../errors.ts';
import { keptRevisionsMax, type PolicyBundle } from '../policy/bundle.ts';
import type { ShipCommand, ShipOptions, ShipReport, ShipStart } from './protocol.ts';
import { ReadingMark } from './reading-mark.ts';

export type SupervisorEvents = {
  onReport: (report: ShipReport) => void;
  /** Writes records that the thread made; true when they are on disk. */
  onLateRecords: WriteLateRecords;
  /** Asked when the thread is told of ends: whether it is to give way. */
  isRecordingBusy: () => boolean;
  /** The thread died; it is started again after `restartDelayMs`. The journal keeps what it had not delivered. */
  onCrash: (error: Error) => void;
};

export type ShipperThread = {
  /** Tells the thread, within `wakeDelayMs`, that an exchange ended. */
  wake(): void;
  /** In force from now on, also for a thread that is started later. */
  usePolicy(policy: PolicyBundle): void;
  /** Ships what is there and ends the thread, or ends it after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
};

const restartDelayMs = 1_000;
/** What ends in this time is shipped together: waking the thread for each exchange would cost both threads more. */
const wakeDelayMs = 50;
/** Deaths of the thread in reading one exchange, after which that one is kept as metadata and not read again. */
const deathsMax = 2;
const workerFile = new URL('./worker.ts', import.meta.url);

/** Runs the shipping thread and keeps it running until `stop`. */
export function superviseShipper(options: ShipOptions, events: SupervisorEvents): ShipperThread {
  let worker: Worker | undefined;
  let restart: NodeJS.Timeout | undefined;
  let waking: NodeJS.Timeout | undefined;
  let stopping = false;
  let { policies } = options;

  const suspects = new Suspects();

  const start = (): void => {
    const mark = new ReadingMark();
    const workerData: ShipStart = { ...options, policies, reduced: suspects.reduced(), reading: mark.memory };
    const current = new Worker(workerFile, { workerData });
    worker = current;
    const taken = (isWritten: boolean): void => {
      current.postMessage({ kind: 'late_records_taken', isWritten } satisfies ShipCommand);
    };
    current.on('message', (report: ShipReport) => {
      if (report.kind !== 'late_records') events.onReport(report);
      else events.onLateRecords(report.records).then(taken, () => taken(false));
    });
    current.on('error', (error: unknown) => events.onCrash(ourError(error)));
    current.on('exit', () => {
      if (worker === current) worker = undefined;
      if (stopping) return;
      const reading = mark.get();
      if (reading !== null) suspects.diedIn(reading);
      restart = setTimeout(start, restartDelayMs);
    });
  };
  start();

  const send = (command: ShipCommand): void => worker?.postMessage(command);
  const wakeNow = (): void => {
    waking = undefined;
    send({ kind: 'wake', isRecordingBusy: events.isRecordingBusy() });
  };
  return {
    wake() {
      if (!stopping) waking ??= setTimeout(wakeNow, wakeDelayMs);
    },
    usePolicy(policy) {
      policies = [...policies.filter(({ revision }) => revision !== policy.revision), policy].slice(-keptRevisionsMax);
      send({ kind: 'policy', policy });
    },
    async stop(timeoutMs) {
      stopping = true;
      clearTimeout(restart);
      clearTimeout(waking);
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

/** In which exchanges the thread died: one exchange that fills its memory must not hold up all others for ever. */
class Suspects {
  readonly #deaths = new Map<string, number>();

  diedIn(exchangeId: string): void {
    this.#deaths.set(exchangeId, (this.#deaths.get(exchangeId) ?? 0) + 1);
  }

  reduced(): string[] {
    return [...this.#deaths].filter(([, deaths]) => deaths >= deathsMax).map(([exchangeId]) => exchangeId);
  }
}

/** What crosses a thread's border loses its class, and with it the log's trust in its words. */
function ourError(thrown: unknown): Error {
  if (!(thrown instanceof Error) || thrown.name !== 'SkilltapeError' || !('code' in thrown)) {
    return SkilltapeError.from(thrown);
  }
  const remedy = 'remedy' in thrown && typeof thrown.remedy === 'string' ? { remedy: thrown.remedy } : {};
  return new SkilltapeError(thrown.code as ErrorCode, thrown.message, remedy);
}
