/** Refuses new requests while a volume is nearly full, so that what is open has the room to end and to be recorded. */
import type { Log } from './log.ts';
import { usedShare, type VolumeUse, volumeUse } from './volume.ts';

/** A volume fills slower than this by far, and asking takes microseconds in a thread of the pool. */
const checkIntervalMs = 1_000;
/** So far below what refuses, requests are taken again: at the edge the answer must not change with each file. */
const resumeBelowShare = 0.02;

export type VolumeWatchParts = {
  /** One on each volume; the fullest counts. */
  paths: readonly string[];
  refuseAtPercent: number;
  log: Pick<Log, 'error' | 'warn' | 'info'>;
  /** Rejects where it cannot be told; a test gives one of its own. */
  use?: (path: string) => Promise<VolumeUse>;
};

/**
 * Asked for nothing but numbers in memory by requests. From `refuseAtPercent` on they are refused with a record; half of
 * the rest of the way to a full volume on without one, since records take room too and a caller decides how many there are.
 */
export class VolumeWatch {
  readonly #parts: VolumeWatchParts;
  readonly #use: (path: string) => Promise<VolumeUse>;
  /** Of each path, when it was told last. */
  readonly #shares = new Map<string, number>();
  #share = 0;
  #isRefusing = false;
  #isUnknown = false;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;

  constructor(parts: VolumeWatchParts) {
    this.#parts = parts;
    this.#use = parts.use ?? volumeUse;
  }

  /** Resolves when it was looked at once: no request is taken on a full volume before that. */
  async start(): Promise<void> {
    await this.check();
    this.#timer = setInterval(() => void this.check(), checkIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Of the fullest volume, from 0 to 1, when it was looked at last. */
  get usedShare(): number {
    return this.#share;
  }

  get isRefusing(): boolean {
    return this.#isRefusing;
  }

  /** Not even the refusals are recorded. */
  get isNearlyFull(): boolean {
    return this.#isRefusing && this.#share >= (this.#refuseAt + 1) / 2;
  }

  /** One at a time: a disk that does not answer must not gather calls. */
  check(): Promise<void> {
    this.#checking ??= this.#look().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #look(): Promise<void> {
    let fault: { err: unknown } | undefined;
    const look = async (path: string): Promise<void> => {
      try {
        this.#shares.set(path, usedShare(await this.#use(path)));
      } catch (err) {
        // What was known of it stays; a disk that takes no bytes is told by the journal itself.
        fault ??= { err };
      }
    };
    await Promise.all(this.#parts.paths.map(look));
    this.#take(Math.max(0, ...this.#shares.values()));
    if (fault !== undefined && !this.#isUnknown)
      this.#parts.log.warn({ err: fault.err }, 'how full the volume is cannot be told');
    this.#isUnknown = fault !== undefined;
  }

  #take(share: number): void {
    this.#share = share;
    const reason = `${Math.floor(share * 1_000) / 10} % are used, the limit is ${this.#parts.refuseAtPercent} %`;
    if (!this.#isRefusing && share >= this.#refuseAt) {
      this.#isRefusing = true;
      this.#parts.log.error({ reason }, 'the volume is too full: new requests are refused');
    } else if (this.#isRefusing && share < this.#refuseAt - resumeBelowShare) {
      this.#isRefusing = false;
      this.#parts.log.info({ reason }, 'the volume has room again: requests are taken');
    }
  }

  get #refuseAt(): number {
    return this.#parts.refuseAtPercent / 100;
  }
}
