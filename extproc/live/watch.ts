/** Notices that the files of a directory were saved, however that is done, and waits until they are still. */
import { type FSWatcher, watch } from 'node:fs';
import type { Fingerprint } from './fingerprint.ts';

export type WatchOptions = {
  /** How the files are now. */
  look(): Promise<Fingerprint>;
  /** The directory as configured, beside the folders that are found in it: a link in it may be swapped. */
  directory: string;
  /** How long nothing may change before the files count as saved. */
  settleMs: number;
  /** How often they are looked at when nothing is heard of a change. */
  pollIntervalMs: number;
  /** Files changed, and are not yet still. Must not throw. */
  onChange?(): void;
  /** The files are still, and others than the last time. Called one at a time; must not reject. */
  onSettled(fingerprint: Fingerprint): Promise<void>;
};

export type Watch = { close(): Promise<void> };

/** Files that never are still are taken as they are after this. */
export const settleMaxMs = 10_000;
/** A watched folder each; the others are found by looking. */
const watchedFoldersMax = 500;

/**
 * What the system tells of changes is only a hint to look sooner: it tells nothing on some file systems, and loses track
 * of folders that are replaced. @param known how the files were when they were read last
 */
export function watchFiles(known: Fingerprint, options: WatchOptions): Watch {
  const hints = new Hints(options.directory);
  let closed = false;
  const follow = async (): Promise<void> => {
    let settled = known;
    hints.listenTo(known.folders);
    while (!closed) {
      await hints.next(options.pollIntervalMs);
      if (closed) return;
      const seen = await options.look();
      if (seen.value === settled.value) continue;
      options.onChange?.();
      settled = await stillFrom(seen, options, () => closed);
      if (closed) return;
      hints.listenTo(settled.folders);
      await options.onSettled(settled);
    }
  };
  const done = follow();
  return {
    async close() {
      closed = true;
      hints.close();
      await done;
    },
  };
}

async function stillFrom(
  seen: Fingerprint,
  { look, settleMs }: WatchOptions,
  isClosed: () => boolean,
): Promise<Fingerprint> {
  const startMs = performance.now();
  let last = seen;
  while (!isClosed()) {
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const now = await look();
    if (now.value === last.value || performance.now() - startMs > settleMaxMs) return now;
    last = now;
  }
  return last;
}

/** What the system tells of changes; several hints while nobody waits are one. */
class Hints {
  readonly #directory: string;
  readonly #watchers = new Map<string, FSWatcher>();
  #hinted = false;
  #wake: (() => void) | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  listenTo(folders: readonly string[]): void {
    // All of them anew: a folder of the same name may be another one by now, of which the old watcher hears nothing.
    for (const [folder, watcher] of this.#watchers) this.#forget(folder, watcher);
    for (const folder of new Set([this.#directory, ...folders].slice(0, watchedFoldersMax))) this.#listen(folder);
  }

  async next(timeoutMs: number): Promise<void> {
    if (!this.#hinted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#hinted = false;
  }

  close(): void {
    for (const [folder, watcher] of this.#watchers) this.#forget(folder, watcher);
    this.#hint();
  }

  #listen(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#hint());
      this.#watchers.set(folder, watcher);
      watcher.on('error', () => this.#forget(folder, watcher));
    } catch {
      // Not there any more, or no watch is left: looking finds what changes.
    }
  }

  #forget(folder: string, watcher: FSWatcher): void {
    this.#watchers.delete(folder);
    watcher.close();
  }

  #hint(): void {
    this.#hinted = true;
    this.#wake?.();
  }
}
