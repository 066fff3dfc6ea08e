/** Where journals stand in a data directory: each worker writes one of its own. */
import { basename, join } from 'node:path';
import type { FileSystem } from './fs.ts';
import { nodeFileSystem } from './node-fs.ts';

/** A primary has a journal of its own, for records that no worker made. */
export const primaryJournal = 0;

/** The first worker's is `journal`, so it stays the same one when workers are added or taken away. */
export function journalDirectory(dataDirectory: string, worker: number): string {
  return join(dataDirectory, worker === 1 ? 'journal' : `journal-${worker}`);
}

/** The number of the journal in this directory, which `journalDirectory` named. */
export function journalNumber(directory: string): number {
  return Number(/-(\d+)$/.exec(basename(directory))?.[1] ?? 1);
}

/** The numbers of the journals that are there, ascending, of present and of earlier workers and the primary's. */
export async function journalsIn(dataDirectory: string, fileSystem: FileSystem = nodeFileSystem): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await fileSystem.list(dataDirectory)) {
    const number = name === 'journal' ? 1 : Number(/^journal-(0|[1-9]\d{0,3})$/.exec(name)?.[1] ?? -1);
    if (number >= 0 && journalDirectory(dataDirectory, number) === join(dataDirectory, name)) numbers.push(number);
  }
  return numbers.sort((a, b) => a - b);
}
