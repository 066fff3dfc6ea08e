/** What is measured while the load goes on. Linux only: it reads /proc. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { processMemory } from '../../environment/process-memory.ts';

export type Measure = (typeof measures)[number]['name'];
export type Sample = { atMs: number } & Record<Measure, number>;

/**
 * `growthMaxPerHour` is the bound on the slope over the second half. Memory: an hour's growth that a machine would not
 * outlast in a month is a leak; the bound is above what the garbage collector swings within minutes. The rest does not
 * grow at all in the long run, and the bound is what a sample more or less at either end can feign.
 */
export const measures = [
  { name: 'processorRssMb', growthMaxPerHour: 40 },
  { name: 'envoyRssMb', growthMaxPerHour: 20 },
  { name: 'processorFiles', growthMaxPerHour: 10 },
  { name: 'envoyFiles', growthMaxPerHour: 10 },
  { name: 'journalMb', growthMaxPerHour: 8 },
  { name: 'indexLagMs', growthMaxPerHour: 2_000 },
] as const;

const MiB = 1024 * 1024;

export function rssMbOf(pid: number): number {
  return processMemory(pid).residentBytes / MiB;
}

export function openFilesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export function journalMbOf(dataDirectory: string): number {
  const directory = join(dataDirectory, 'journal');
  let bytes = 0;
  for (const name of readdirSync(directory))
    bytes += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  return bytes / MiB;
}
