import { existsSync } from 'node:fs';
import { Stops, type StopTarget, stopperName } from './stops.ts';

/** What an operator wrote is heeded after so long. */
const lookIntervalMs = 250;

type Stop = { by: string; reason: string };

/** The open exchanges of a process (`exchange/running.ts`). */
export type Running = {
  useStopped(sessions: ReadonlyMap<string, Stop>): void;
  end(target: StopTarget, stop: Stop): Promise<string[]>;
};

export type StopWatchParts = { file: string; running: Running; onFault(err: unknown): void };

/**
 * Heeds in one process what operators stop. Sessions that are stopped are known before it takes its first request; a
 * file that cannot be read then throws, since nobody may go on whom an operator stopped (inv. 2). Until something was
 * stopped for the first time there is no file, and all that is done is to look for it.
 */
export class StopWatch {
  readonly #parts: StopWatchParts;
  readonly #timer: NodeJS.Timeout;
  #stops: Stops | undefined;
  #version = -1;
  #number = 0;

  constructor(parts: StopWatchParts) {
    this.#parts = parts;
    this.#begin();
    this.#timer = setInterval(() => this.#lookOrTell(), lookIntervalMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stops?.close();
  }

  /** What was stopped before this process began had nothing in it that ran. */
  #begin(): void {
    if (!existsSync(this.#parts.file)) return;
    this.#stops = new Stops(this.#parts.file);
    this.#number = this.#stops.lastNumber;
    this.#look();
  }

  #lookOrTell(): void {
    try {
      this.#look();
    } catch (err) {
      this.#parts.onFault(err);
    }
  }

  #look(): void {
    const { file, running } = this.#parts;
    if (this.#stops === undefined && !existsSync(file)) return;
    this.#stops ??= new Stops(file);
    const { version } = this.#stops;
    if (version === this.#version) return;
    // First, so that no request of a stopped session begins while those that run are ended.
    running.useStopped(
      new Map(this.#stops.stopped().map(({ session, by, reason }) => [session, { by: stopperName(by), reason }])),
    );
    for (const { number, event } of this.#stops.since(this.#number)) {
      this.#number = number;
      if (event.kind !== 'stopped') continue;
      void this.#end(number, event.target, { by: stopperName(event.by), reason: event.reason });
    }
    this.#version = version;
  }

  async #end(number: number, target: StopTarget, stop: Stop): Promise<void> {
    try {
      const ended = await this.#parts.running.end(target, stop);
      if (ended.length > 0) this.#stops?.ended(number, ended, Date.now());
    } catch (err) {
      this.#parts.onFault(err);
    }
  }
}
