import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFault } from '../disk-fault.ts';
import type { UsedPasses } from '../exchange/release-pass.ts';

/** Passes that end within one period have one folder. Longer than a pass lives. */
const periodMs = 60_000;

/** Where the used passes of a data directory are. */
export function usedPassesDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'used-passes');
}

/**
 * One empty file for each pass that was used, made by whoever is first: all processes of a data directory see it, and it
 * outlives a kill. After a power failure there is nobody any more who could show an old pass to the same Envoy.
 */
export class UsedPassFiles implements UsedPasses {
  readonly #directory: string;
  /** The newest period that this process has seen. */
  #period = Number.NEGATIVE_INFINITY;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws SkilltapeError `disk_failed` */
  async take(exchangeId: string, untilMs: number): Promise<boolean> {
    const period = Math.floor(untilMs / periodMs);
    const folder = join(this.#directory, String(period));
    const isFirst = await isMade(folder, exchangeId).catch((thrown: unknown) => {
      throw diskFault(thrown, folder) ?? thrown;
    });
    if (period > this.#period) await this.#removeBefore(period - 1);
    this.#period = Math.max(this.#period, period);
    return isFirst;
  }

  /** Their passes are over. What cannot be removed now is removed in another period. */
  async #removeBefore(period: number): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    const over = names.filter((name) => /^\d{1,15}$/.test(name) && Number(name) < period);
    await Promise.allSettled(over.map((name) => rm(join(this.#directory, name), { recursive: true, force: true })));
  }
}

/** False where it was there. */
async function isMade(folder: string, name: string): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const file = await open(join(folder, name), 'wx', 0o600);
    await file.close();
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}
