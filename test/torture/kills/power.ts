/** A power failure, after the process is gone: what the journal was not told to keep goes, from the end. */
import { existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import { segmentFileName, segmentSequences } from '../../../extproc/journal/position.ts';

/**
 * Leaves of the newest segment what was synced, and `share` (0 to 1) of the rest. The file beside says which that is
 * (`kill-preload.ts`). Returns from where on all is gone.
 */
export async function failPower(options: { directory: string; durableFile: string; share: number }): Promise<Position> {
  const { directory, durableFile, share } = options;
  const newest = segmentSequences(await nodeFileSystem.list(directory)).at(-1);
  if (newest === undefined) return { segment: 1, offset: 0 };
  const name = segmentFileName(newest);
  const path = join(directory, name);
  const bytes = statSync(path).size;
  const durable = durableBytes(durableFile, `${basename(directory)}/${name}`);
  const kept = durable + Math.floor((bytes - durable) * share);
  if (durable === 0 && share < 0.5) {
    rmSync(path);
    return { segment: newest, offset: 0 };
  }
  truncateSync(path, kept);
  return { segment: newest, offset: kept };
}

/** Two threads sync: the highest word counts, since recovery cuts nothing that was synced. */
function durableBytes(file: string, name: string): number {
  if (!existsSync(file)) return 0;
  const lines = readFileSync(file, 'utf8').split('\n');
  return Math.max(0, ...lines.filter((text) => text.startsWith(`${name} `)).map((text) => Number(text.split(' ')[1])));
}
