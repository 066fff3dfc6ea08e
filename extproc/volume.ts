/** How full the volumes are that skilltape writes to. */
import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';

export type VolumeUse = { sizeBytes: number; usedBytes: number };

/** As `df` counts: what is reserved for root is neither used nor free. */
export function useOf({
  bsize,
  blocks,
  bfree,
  bavail,
}: Pick<StatsFs, 'bsize' | 'blocks' | 'bfree' | 'bavail'>): VolumeUse {
  return { sizeBytes: (blocks - bfree + bavail) * bsize, usedBytes: (blocks - bfree) * bsize };
}

/** Rejects with the error of the system. */
export async function volumeUse(path: string): Promise<VolumeUse> {
  return useOf(await statfs(path));
}

/** From 0 to 1; 0 for a volume that says no size. */
export function usedShare({ sizeBytes, usedBytes }: VolumeUse): number {
  return sizeBytes <= 0 ? 0 : usedBytes / sizeBytes;
}
