/** Tells open pages that something changed that they show; what it is they ask for themselves. */
import { setImmediate } from 'node:timers/promises';
import { SkilltapeError } from '../errors.ts';
import type { Log } from '../log.ts';

/** `of` names what is looked at, and by whom: pages with the same one are glanced at once. `seen` is the glance that the page was made with; another one says that what it shows has changed. */
export type Listener = { of: string; seen: string; glance(): Promise<string>; send(event: 'changed' | 'alive'): void };

/** `isNew`: what happened between the page and its first glance is not known yet. */
type Listening = Listener & { last: string; isNew: boolean };

/** A decision by another process is known after so long. */
const lookIntervalMs = 500;
/** What time alone ends changes no file; proxies close a connection that says nothing for a minute. */
const aliveIntervalMs = 15_000;

/** Pages that listen at once, of all people (inv. 10). */
export const listenersMax = 1_000;

export class LivePages {
  readonly #version: () => string;
  readonly #log: Log;
  readonly #listeners = new Set<Listening>();
  #timer: NodeJS.Timeout | undefined;
  #seen: string | null = null;
  #isLooking = false;
  #aliveMs = 0;

  constructor(version: () => string, log: Log) {
    this.#version = version;
    this.#log = log;
  }

  get isFull(): boolean {
    return this.#listeners.size >= listenersMax;
  }

  /** Returns what takes the page off again. */
  add(listener: Listener): () => void {
    const listening: Listening = { ...listener, last: listener.seen, isNew: true };
    this.#listeners.add(listening);
    this.#timer ??= setInterval(() => void this.#look(), lookIntervalMs).unref();
    return () => {
      this.#listeners.delete(listening);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** Something was written by this process itself, which the version does not count. */
  nudge(): void {
    this.#seen = null;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const version = this.#version();
      const isDue = Date.now() - this.#aliveMs >= aliveIntervalMs;
      if (isDue) {
        this.#aliveMs = Date.now();
        for (const listener of this.#listeners) listener.send('alive');
      }
      const isChanged = version !== this.#seen || isDue;
      this.#seen = version;
      // Whoever opens pages again and again has nobody else's looked at again.
      await this.#tell([...this.#listeners].filter(({ isNew }) => isChanged || isNew));
    } catch (thrown) {
      this.#log.warn({ err: SkilltapeError.from(thrown) }, 'pages of the console cannot be told what changed');
    } finally {
      this.#isLooking = false;
    }
  }

  async #tell(listeners: readonly Listening[]): Promise<void> {
    const glances = new Map<string, string>();
    for (const listener of listeners) {
      if (!this.#listeners.has(listener)) continue;
      // Each asks policy about every ticket: requests are answered in between.
      await setImmediate();
      const glance = glances.get(listener.of) ?? (await listener.glance());
      glances.set(listener.of, glance);
      listener.isNew = false;
      if (glance === listener.last) continue;
      listener.last = glance;
      listener.send('changed');
    }
  }
}
